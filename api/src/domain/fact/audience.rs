//! Who may read which events. Whoever reads an alliance reads what happened in it, except what tells of people's accounts
//! and of drafts: that is for its committee alone.

use std::sync::LazyLock;

use concord_entities::{
    account, event,
    id::{PriorityTaskId, RotationPlanId, RotationSlotId, TaskListId, TypedId, WhistleId},
    priority_task, rotation_plan, rotation_slot,
    seat::{self, Role},
    task_list, whistle,
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ExprTrait, QueryFilter, QuerySelect, QueryTrait,
    sea_query::{Expr, SelectStatement, SimpleExpr},
};

use crate::domain::{Actor, Ctx, Event, scope};

/// Beginnings of kinds that tell of people, their roles and their keys, and of drafts that nobody else sees.
const PERSONAL: [&str; 14] = [
    "account_",
    "api_key_",
    "calendar_feed_",
    "external_identity_",
    "inbox_",
    "mobilization_draft",
    "password_",
    "refresh_token_",
    "reporter_",
    "saved_filter_",
    "seat_",
    "session_",
    "signed_",
    "token_",
];

/// Who reads a kind of event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Whoever may read the alliance.
    Alliance,
    /// The committee of the alliance.
    Committee,
}

/// Who reads events of this kind.
pub fn of(kind: Event) -> Audience {
    let is_personal = PERSONAL.iter().any(|beginning| kind.text().starts_with(beginning));
    if is_personal { Audience::Committee } else { Audience::Alliance }
}

/// The kinds that only a committee reads, as stored.
static RESERVED: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    Event::ALL.iter().filter(|kind| of(**kind) == Audience::Committee).map(|kind| kind.text()).collect()
});

/// A condition that holds for the events that the caller may read.
pub fn seen(ctx: &Ctx) -> Condition {
    seen_of(ctx, &DRAFTS)
}

/// The same among the events of one noun.
pub fn seen_of_noun(ctx: &Ctx, noun: &str) -> Condition {
    let seen = DRAFTS
        .iter()
        .find(|(of, _)| *of == noun)
        .map_or_else(|| seen_of(ctx, &[]), |draft| seen_of(ctx, &[*draft]));
    if noun == WhistleId::NOUN { Condition::all().add(seen).add(once(ctx)) } else { seen }
}

/// What happens to a whistle that concerns an alliance above is told in both chains: whoever reads the town's reads it there,
/// and not once more above.
fn once(ctx: &Ctx) -> SimpleExpr {
    let told_in_town = whistle::Entity::find()
        .select_only()
        .column(whistle::Column::Id)
        .filter(whistle::Column::Id.into_expr().eq(Expr::col((event::Entity, event::Column::SubjectId))))
        .filter(
            whistle::Column::AllianceId.into_expr().ne(Expr::col((event::Entity, event::Column::AllianceId))),
        )
        .filter(scope::in_alliances(ctx, whistle::Column::AllianceId))
        .into_query();
    Expr::exists(told_in_town).not()
}

fn seen_of(ctx: &Ctx, drafts: &[(&str, Draft)]) -> Condition {
    let Actor::Account { id, .. } = ctx.actor else {
        // Keys read what the members read; the platform reads everything.
        return match ctx.actor {
            Actor::System => Condition::all(),
            _ => scope::in_alliances(ctx, event::Column::AllianceId).add(open_to_members(drafts)),
        };
    };
    let administrator = account::Entity::find()
        .select_only()
        .column(account::Column::Id)
        .filter(account::Column::Id.eq(id))
        .filter(account::Column::State.eq(account::State::Active))
        .filter(account::Column::IsPlatformAdmin.eq(true))
        .into_query();
    let committee = seat::Entity::find()
        .select_only()
        .column(seat::Column::AllianceId)
        .filter(seat::Column::AccountId.eq(id))
        .filter(seat::Column::Role.eq(Role::Committee))
        .filter(seat::Column::State.eq(seat::State::Active))
        .into_query();
    let members = Condition::any().add(open_to_members(drafts));
    let in_reach = scope::in_alliances(ctx, event::Column::AllianceId)
        .add(members.add(event::Column::AllianceId.in_subquery(committee)));
    // The platform's own chain is its administrators' business.
    Condition::any().add(in_reach).add(event::Column::AllianceId.is_null().and(Expr::exists(administrator)))
}

/// Selects what is a draft of some noun and is what an event is about.
type Draft = fn() -> SelectStatement;

/// The nouns that have drafts.
const DRAFTS: [(&str, Draft); 4] = [
    (PriorityTaskId::NOUN, || {
        draft::<priority_task::Entity>(
            priority_task::Column::Id,
            priority_task::Column::State.eq(priority_task::State::Draft),
        )
    }),
    (TaskListId::NOUN, || {
        draft::<task_list::Entity>(
            task_list::Column::Id,
            task_list::Column::State.eq(task_list::State::Draft),
        )
    }),
    (RotationPlanId::NOUN, || {
        draft::<rotation_plan::Entity>(
            rotation_plan::Column::Id,
            rotation_plan::Column::State.is_in(UNPUBLISHED),
        )
    }),
    // A turn is as much a draft as its plan.
    (RotationSlotId::NOUN, || {
        let hidden = rotation_plan::Entity::find()
            .select_only()
            .column(rotation_plan::Column::Id)
            .filter(rotation_plan::Column::State.is_in(UNPUBLISHED))
            .into_query();
        draft::<rotation_slot::Entity>(
            rotation_slot::Column::Id,
            rotation_slot::Column::PlanId.in_subquery(hidden),
        )
    }),
];

const UNPUBLISHED: [rotation_plan::State; 3] =
    [rotation_plan::State::Draft, rotation_plan::State::Submitted, rotation_plan::State::Approved];

/// Neither reserved by its kind nor about something that is still a draft.
fn open_to_members(drafts: &[(&str, Draft)]) -> Condition {
    // Constants of the statement's text: the database then looks each kind up, rather than comparing it with all of them.
    let reserved = RESERVED.iter().map(|kind| Expr::Constant((*kind).into()));
    let open = Condition::all().add(event::Column::Kind.into_expr().is_not_in(reserved));
    drafts.iter().fold(open, |open, (_, draft)| open.add(Expr::exists(draft()).not()))
}

/// The draft that an event is about, if it is about one.
fn draft<E: EntityTrait>(id: E::Column, state: Expr) -> SelectStatement {
    E::find()
        .select_only()
        .column(id)
        .filter(id.into_expr().eq(Expr::col((event::Entity, event::Column::SubjectId))))
        .filter(state)
        .into_query()
}
