//! Who may read which events. Whoever reads an alliance reads what happened in it, except what tells of people's accounts
//! and of drafts: that is for its committee alone.

use std::sync::LazyLock;

use concord_entities::{
    account, event,
    id::{MobilizationId, PriorityTaskId, RotationPlanId, RotationSlotId, TaskListId, TypedId, WhistleId},
    mobilization, priority_task, rotation_plan, rotation_slot,
    seat::{self, Role},
    task_list, whistle,
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ExprTrait, QueryFilter, QuerySelect, QueryTrait, Select,
    sea_query::{Expr, SelectStatement},
};

use crate::domain::{Actor, Ctx, Event, scope};

/// Beginnings of kinds that tell of people, their roles and their keys, of where single persons were and of whom nothing is known any
/// more, and of drafts that nobody else sees.
const PERSONAL: [&str; 19] = [
    "account_",
    "api_key_",
    "branch_instructor_erased",
    "branch_secretary_erased",
    "calendar_feed_",
    "external_identity_",
    "grid_officer_erased",
    "home_report",
    "inbox_",
    "mobilization_checked_",
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
    // What concerns several alliances is told in the chain of each, and once in a history.
    let told_at_home = match noun {
        // Whoever reads the town's chain reads it there, and not once more above.
        WhistleId::NOUN => elsewhere::<whistle::Entity>(whistle::Column::Id, whistle::Column::AllianceId)
            .filter(scope::in_alliances(ctx, whistle::Column::AllianceId))
            .into_query(),
        // The history of an order is its own alliance's; those that it reaches hear of it among their changes.
        MobilizationId::NOUN => {
            use mobilization::Column;
            elsewhere::<mobilization::Entity>(Column::Id, Column::AllianceId).into_query()
        }
        _ => return seen,
    };
    Condition::all().add(seen).add(Expr::exists(told_at_home).not())
}

/// What an event is about, where it stands in the chain of another alliance than that one's own.
fn elsewhere<E: EntityTrait>(id: E::Column, alliance: E::Column) -> Select<E> {
    E::find()
        .select_only()
        .column(id)
        .filter(id.into_expr().eq(Expr::col((event::Entity, event::Column::SubjectId))))
        .filter(alliance.into_expr().ne(Expr::col((event::Entity, event::Column::AllianceId))))
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
        .filter(account::Column::State.into_expr().eq(scope::word(account::State::Active)))
        .filter(account::Column::IsPlatformAdmin.into_expr().eq(Expr::Constant(true.into())))
        .into_query();
    let committee = seat::Entity::find()
        .select_only()
        .column(seat::Column::AllianceId)
        .filter(seat::Column::AccountId.eq(id))
        .filter(seat::Column::Role.into_expr().eq(scope::word(Role::Committee)))
        .filter(seat::Column::State.into_expr().eq(scope::word(seat::State::Active)))
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
            priority_task::Column::State.into_expr().eq(scope::word(priority_task::State::Draft)),
        )
    }),
    (TaskListId::NOUN, || {
        draft::<task_list::Entity>(
            task_list::Column::Id,
            task_list::Column::State.into_expr().eq(scope::word(task_list::State::Draft)),
        )
    }),
    (RotationPlanId::NOUN, || {
        draft::<rotation_plan::Entity>(
            rotation_plan::Column::Id,
            rotation_plan::Column::State.into_expr().is_in(UNPUBLISHED.map(scope::word)),
        )
    }),
    // A turn is as much a draft as its plan.
    (RotationSlotId::NOUN, || {
        let hidden = rotation_plan::Entity::find()
            .select_only()
            .column(rotation_plan::Column::Id)
            .filter(rotation_plan::Column::State.into_expr().is_in(UNPUBLISHED.map(scope::word)))
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
