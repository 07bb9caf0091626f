//! Faces of deadlines: what an alliance sets, the clocks of a problem, what they came to, and how they were moved.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject, dataloader::Loader};
use concord_entities::{
    breach, deadline_policy, event, extension,
    id::{AllianceId, OrganizationId, ProblemId},
    problem, problem_responsible, supervision_notice,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use super::problem::{ProblemSeverity, ProblemTier};
use crate::{
    domain::{
        self, Error, Event,
        list::{
            deadline::Limit,
            deadline_policy::{self as verbs, Level, Policy, PolicyChange, Rule},
            problem::clocks::{self, Moved},
        },
        page,
        whistle::deadlines,
    },
    graphql::{
        ctx,
        error::payload,
        governance::{alliance::Alliance, organization::Organization},
        id,
        loaders::{self, Loaders},
        scalar::DateTime,
        whistle::{WhistleKind, call::WhistleClock},
    },
};

/// One of a problem's three clocks.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "concord_entities::breach::Clock")]
pub enum ProblemClockKind {
    /// From registration, or from when it came back, to assignment: the committee's.
    Dispatch,
    /// From assignment to acceptance, per responsible organisation.
    Response,
    /// From assignment to the request for closure, per responsible organisation.
    Resolution,
}

/// What a limit counts.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "concord_entities::problem_responsible::Unit")]
pub enum DeadlineUnit {
    /// Hours around the clock.
    Hours,
    /// Calendar days, to the end of the last.
    Days,
    /// Working days by the alliance's calendar, to the end of the last.
    WorkingDays,
}

/// How a level of supervision is shown.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "crate::domain::list::deadline_policy::Colour")]
pub enum SupervisionColour {
    /// Blue (蓝).
    Blue,
    /// Yellow (黄).
    Yellow,
    /// Orange (橙).
    Orange,
    /// Red (红).
    Red,
}

/// What one clock is limited by, for the problems that fit. The rule that says most about a problem decides; of several, the
/// first.
#[derive(SimpleObject)]
pub struct DeadlineRule {
    /// Which clock.
    clock: ProblemClockKind,
    /// Only problems of this urgency.
    severity: Option<ProblemSeverity>,
    /// Only problems of this tier.
    tier: Option<ProblemTier>,
    /// Only complex problems, or only others.
    is_complex: Option<bool>,
    /// How many.
    amount: i32,
    /// Of what.
    unit: DeadlineUnit,
}

/// What a deadline of a call to a whistle counts.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "crate::domain::whistle::deadlines::Unit")]
pub enum WhistleDeadlineUnit {
    /// Minutes.
    Minutes,
    /// Hours around the clock.
    Hours,
    /// Calendar days, to the end of the last.
    Days,
}

/// What one deadline of a call is limited by, for the whistles that fit. The rule for a kind of whistle decides before that for
/// all.
#[derive(SimpleObject)]
pub struct WhistleDeadlineRule {
    /// Which deadline.
    clock: WhistleClock,
    /// Only whistles of this kind.
    kind: Option<WhistleKind>,
    /// How many.
    amount: i32,
    /// Of what.
    unit: WhistleDeadlineUnit,
}

/// A level of supervision.
#[derive(SimpleObject)]
pub struct SupervisionLevel {
    /// How many days after the deadline it is reached, unless the matter is done by then.
    after_days: i32,
    /// What it is called.
    name: String,
    /// How it is shown.
    colour: SupervisionColour,
    /// What is demanded.
    demand: String,
}

/// What an alliance sets for the deadlines of its problems and whistles, for what follows when one passes, and for reminders, of
/// tasks too. What no rule covers takes the platform's limits. Problems: dispatching and response 1 h where life or property is
/// at risk, 2 h for utilities, 24 h otherwise; resolution 2 h, 24 h, 7 days, and 15 days for complex matters. Whistles: reporting
/// in 24 h, in an emergency 30 minutes; resolution 7 days for enforcement, 15 days for priority work, 24 h in an emergency.
pub struct DeadlinePolicy(Policy);

/// What an alliance sets for the deadlines of its problems and whistles, for what follows when one passes, and for reminders, of
/// tasks too. What no rule covers takes the platform's limits. Problems: dispatching and response 1 h where life or property is
/// at risk, 2 h for utilities, 24 h otherwise; resolution 2 h, 24 h, 7 days, and 15 days for complex matters. Whistles: reporting
/// in 24 h, in an emergency 30 minutes; resolution 7 days for enforcement, 15 days for priority work, 24 h in an emergency.
#[Object]
impl DeadlinePolicy {
    /// The alliance's own rules.
    async fn rules(&self) -> Vec<DeadlineRule> {
        let face = |rule: &Rule| DeadlineRule {
            clock: rule.clock.into(),
            severity: rule.severity.map(Into::into),
            tier: rule.tier.map(Into::into),
            is_complex: rule.is_complex,
            amount: i32::try_from(rule.limit.amount).unwrap_or(i32::MAX),
            unit: rule.limit.unit.into(),
        };
        self.0.rules.iter().map(face).collect()
    }

    /// The levels of supervision, the first at the deadline.
    async fn levels(&self) -> Vec<SupervisionLevel> {
        let face = |level: &Level| SupervisionLevel {
            after_days: i32::try_from(level.after_days).unwrap_or(i32::MAX),
            name: level.name.clone(),
            colour: level.colour.into(),
            demand: level.demand.clone(),
        };
        self.0.levels.iter().map(face).collect()
    }

    /// How many hours before a resolution's deadline a reminder (催办) goes out; halfway where the limit is shorter.
    async fn remind_hours(&self) -> i32 {
        self.0.remind_hours
    }

    /// Within how many calendar days a supervision notice is to be answered.
    async fn reply_days(&self) -> i32 {
        self.0.reply_days
    }

    /// The alliance's own rules for the units that it calls to whistles, its own and those escalated to it.
    async fn whistle_rules(&self) -> Vec<WhistleDeadlineRule> {
        let face = |rule: &deadlines::Rule| WhistleDeadlineRule {
            clock: rule.clock.into(),
            kind: rule.kind.map(Into::into),
            amount: i32::try_from(rule.amount).unwrap_or(i32::MAX),
            unit: rule.unit.into(),
        };
        self.0.whistle_rules.iter().map(face).collect()
    }

    /// How many hours before the deadline to resolve a whistle's matter a reminder goes out; halfway where the limit is shorter.
    async fn whistle_remind_hours(&self) -> i32 {
        self.0.whistle_remind_hours
    }

    /// How many days before its due date a priority task shows as due in the inboxes of its organisations; 0 on the day itself, 3
    /// where the alliance sets nothing.
    async fn task_remind_days(&self) -> i32 {
        self.0.task_remind_days
    }

    /// Grows by one with every change, 0 while nothing was set; give it as `expectedVersion`.
    async fn version(&self) -> i64 {
        self.0.version
    }
}

/// Key of what an alliance sets for its deadlines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PolicyOf(pub AllianceId);

impl Loader<PolicyOf> for Loaders {
    type Value = Policy;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[PolicyOf]) -> Result<HashMap<PolicyOf, Policy>, Self::Error> {
        use deadline_policy::{Column, Entity};
        let select =
            Entity::find().filter(page::among(&self.0, Column::AllianceId, keys.iter().map(|key| key.0)));
        let rows = select.all(self.0.read()).await.map_err(|error| Arc::new(Error::from(error)))?;
        Ok(rows.into_iter().map(|row| (PolicyOf(row.alliance_id), Policy::from(row))).collect())
    }
}

/// What an alliance that the caller sees sets.
pub async fn policy_of(context: &Context<'_>, alliance: AllianceId) -> Result<DeadlinePolicy> {
    Ok(DeadlinePolicy(loaders::one(context, PolicyOf(alliance)).await?.unwrap_or_default()))
}

/// A clock of a problem.
pub struct ProblemClock {
    kind: breach::Clock,
    unit: Option<OrganizationId>,
    due_at: chrono::DateTime<chrono::Utc>,
    is_provisional: bool,
    paused_at: Option<chrono::DateTime<chrono::Utc>>,
    done_at: Option<chrono::DateTime<chrono::Utc>>,
}

/// A clock of a problem.
#[Object]
impl ProblemClock {
    /// Which.
    async fn kind(&self) -> ProblemClockKind {
        self.kind.into()
    }

    /// Whose; absent for dispatching, which is the committee's.
    async fn organization(&self, context: &Context<'_>) -> Result<Option<Organization>> {
        match self.unit {
            Some(unit) => Ok(loaders::one(context, unit).await?.map(Organization)),
            None => Ok(None),
        }
    }

    /// The instant from which it is late.
    async fn due_at(&self) -> DateTime {
        self.due_at.into()
    }

    /// Whether it depends on a year whose holidays are not published: nothing follows from it until they are, and then it is
    /// computed anew.
    async fn is_provisional(&self) -> bool {
        self.is_provisional
    }

    /// Since when it stands still.
    async fn paused_at(&self) -> Option<DateTime> {
        self.paused_at.map(DateTime)
    }

    /// When what it is about was done.
    async fn done_at(&self) -> Option<DateTime> {
        self.done_at.map(DateTime)
    }

    /// Whether it was done late, or is late now.
    async fn is_late(&self, context: &Context<'_>) -> bool {
        let at = self.done_at.or(self.paused_at).unwrap_or_else(|| ctx(context).now());
        !self.is_provisional && at > self.due_at
    }
}

/// The clocks of a problem: dispatching first, then those of each unit, the lead's first.
pub async fn clocks_of(context: &Context<'_>, row: &problem::Model) -> Result<Vec<ProblemClock>> {
    let units = loaders::one(context, ClocksOf(row.id)).await?.unwrap_or_default();
    let mut found: Vec<_> = row
        .dispatch_due_at
        .map(|due_at| ProblemClock {
            kind: breach::Clock::Dispatch,
            unit: None,
            due_at,
            is_provisional: row.dispatch_is_provisional,
            paused_at: None,
            done_at: row.assigned_at.or(row.closed_at),
        })
        .into_iter()
        .collect();
    for unit in units {
        let clock = |kind, due_at: Option<_>, is_provisional, done_at| {
            due_at.map(|due_at| ProblemClock {
                kind,
                unit: Some(unit.organization_id),
                due_at,
                is_provisional,
                paused_at: row.held_at.filter(|_| row.state == problem::State::OnAccount),
                done_at,
            })
        };
        let done = domain::list::supervision::done_at(row, &unit);
        found.extend(clock(
            breach::Clock::Response,
            unit.response_due_at,
            unit.response_is_provisional,
            done.accepted,
        ));
        found.extend(clock(
            breach::Clock::Resolution,
            unit.resolution_due_at,
            unit.resolution_is_provisional,
            done.resolved,
        ));
    }
    Ok(found)
}

/// A deadline that passed unmet. It stays on record when the matter is finished later.
pub struct Breach(pub breach::Model);

/// A deadline that passed unmet. It stays on record when the matter is finished later.
#[Object]
impl Breach {
    /// Which clock.
    async fn clock(&self) -> ProblemClockKind {
        self.0.clock.into()
    }

    /// Who was late; absent for dispatching, which is the committee's.
    async fn organization(&self, context: &Context<'_>) -> Result<Option<Organization>> {
        match self.0.organization_id {
            Some(unit) => Ok(loaders::one(context, unit).await?.map(Organization)),
            None => Ok(None),
        }
    }

    /// Round of the problem it belongs to.
    async fn round(&self) -> i32 {
        self.0.round
    }

    /// The deadline that passed.
    async fn due_at(&self) -> DateTime {
        self.0.due_at.into()
    }

    /// When it was noted, a few seconds later; later still where no node was running.
    async fn noted_at(&self) -> DateTime {
        self.0.noted_at.into()
    }
}

/// An entry of the ledger of a problem's deadlines.
pub struct DeadlineMove {
    moved: Moved,
    event: Arc<event::Model>,
}

/// An entry of the ledger of a problem's deadlines.
#[Object]
impl DeadlineMove {
    /// Which clock.
    async fn clock(&self) -> ProblemClockKind {
        self.moved.clock.into()
    }

    /// Whose; absent for dispatching, which is the committee's.
    async fn organization(&self, context: &Context<'_>) -> Result<Option<Organization>> {
        match self.moved.unit {
            Some(unit) => Ok(loaders::one(context, unit).await?.map(Organization)),
            None => Ok(None),
        }
    }

    /// The deadline before; absent where there was none.
    async fn due_before(&self) -> Option<DateTime> {
        self.moved.before.map(DateTime)
    }

    /// The deadline after; absent where there is none any more.
    async fn due_after(&self) -> Option<DateTime> {
        self.moved.after.map(DateTime)
    }

    /// What moved it.
    async fn cause(&self) -> Option<Event> {
        Event::parse(&self.event.kind)
    }

    /// When.
    async fn at(&self) -> DateTime {
        self.event.occurred_at.into()
    }
}

/// The ledger of a problem's deadlines, the oldest entry first: how each began, and every move by a suspension, an extension, a
/// new judgement or a calendar that became known.
pub async fn moves_of(context: &Context<'_>, id: ProblemId) -> Result<Vec<DeadlineMove>> {
    let events = loaders::one(context, MovesOf(id)).await?.unwrap_or_default();
    let entries = events.into_iter().flat_map(|event| {
        let payload = event.payload.as_deref().and_then(|text| serde_json::from_str(text).ok());
        let moved = payload.map(|payload| clocks::moved_by(&payload)).unwrap_or_default();
        let event = Arc::new(event);
        moved.into_iter().map(move |moved| DeadlineMove { moved, event: event.clone() })
    });
    Ok(entries.collect())
}

macro_rules! lists {
    ($($(#[$doc:meta])* $key:ident($of:expr) -> $entity:ident by $column:expr, $order:expr $(, where $filter:expr)?;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct $key(pub ProblemId);

        impl Loader<$key> for Loaders {
            type Value = Vec<$entity::Model>;
            type Error = Arc<Error>;

            async fn load(&self, keys: &[$key]) -> Result<HashMap<$key, Self::Value>, Self::Error> {
                let select = $entity::Entity::find()
                    .filter(page::among(&self.0, $column, keys.iter().map(|key| key.0)))
                    $(.filter($filter))?;
                let rows = $order(select)
                    .all(self.0.read())
                    .await
                    .map_err(|error| Arc::new(Error::from(error)))?;
                let mut found: HashMap<$key, Self::Value> = HashMap::new();
                for row in rows {
                    found.entry($key($of(&row))).or_default().push(row);
                }
                Ok(found)
            }
        }
    )+};
}

lists! {
    /// Key of the clocks of a problem's units.
    ClocksOf(|row: &problem_responsible::Model| row.problem_id) -> problem_responsible
        by problem_responsible::Column::ProblemId,
        |select: sea_orm::Select<problem_responsible::Entity>| select
            .order_by_desc(problem_responsible::Column::Duty)
            .order_by_asc(problem_responsible::Column::OrganizationId);
    /// Key of a problem's breaches.
    BreachesOf(|row: &breach::Model| row.problem_id) -> breach
        by breach::Column::ProblemId,
        |select: sea_orm::Select<breach::Entity>| select.order_by_asc(breach::Column::Id);
    /// Key of a problem's requests for more time.
    ExtensionsOf(|row: &extension::Model| row.problem_id) -> extension
        by extension::Column::ProblemId,
        |select: sea_orm::Select<extension::Entity>| select.order_by_asc(extension::Column::Id);
    /// Key of a problem's supervision notices.
    NoticesOf(|row: &supervision_notice::Model| row.problem_id.unwrap_or_default()) -> supervision_notice
        by supervision_notice::Column::ProblemId,
        |select: sea_orm::Select<supervision_notice::Entity>| select.order_by_asc(supervision_notice::Column::Id);
    /// Key of the events that moved a problem's deadlines.
    MovesOf(|row: &event::Model| row.subject_id.into()) -> event
        by event::Column::SubjectId,
        |select: sea_orm::Select<event::Entity>| select.order_by_asc(event::Column::OccurredAt).order_by_asc(event::Column::Id),
        where event::Column::Kind.is_in(clocks::MOVERS.map(Event::text));
}

/// What one clock is limited by, for the problems that fit.
#[derive(InputObject)]
pub struct DeadlineRuleInput {
    /// Which clock.
    clock: ProblemClockKind,
    /// Only problems of this urgency.
    severity: Option<ProblemSeverity>,
    /// Only problems of this tier.
    tier: Option<ProblemTier>,
    /// Only complex problems, or only others.
    is_complex: Option<bool>,
    /// How many, from 1; at most 8,784 hours or 366 days.
    amount: i32,
    /// Of what.
    unit: DeadlineUnit,
}

/// What one deadline of a call to a whistle is limited by, for the whistles that fit.
#[derive(InputObject)]
pub struct WhistleDeadlineRuleInput {
    /// Which deadline.
    clock: WhistleClock,
    /// Only whistles of this kind.
    kind: Option<WhistleKind>,
    /// How many, from 1; at most 365 days, or as many hours or minutes.
    amount: i32,
    /// Of what.
    unit: WhistleDeadlineUnit,
}

/// A level of supervision.
#[derive(InputObject)]
pub struct SupervisionLevelInput {
    /// How many days after the deadline it is reached, unless the matter is done by then: 0 for the first, more for each that
    /// follows, at most 366.
    after_days: i32,
    /// What it is called, at most 64 characters.
    name: String,
    /// How it is shown.
    colour: SupervisionColour,
    /// What is demanded, at most 1,000 characters.
    demand: String,
}

/// What an alliance sets for its deadlines; what is absent stays.
#[derive(InputObject)]
pub struct SetDeadlinePolicyInput {
    /// Whose.
    alliance_id: ID,
    /// The version that the caller read; without it the latest counts.
    expected_version: Option<i64>,
    /// All rules, at most 60, no two for the same problems.
    rules: Option<Vec<DeadlineRuleInput>>,
    /// All levels of supervision, 1 to 5.
    levels: Option<Vec<SupervisionLevelInput>>,
    /// How many hours before a resolution's deadline a reminder goes out, 0 to 2,160.
    remind_hours: Option<i32>,
    /// Within how many calendar days a supervision notice is to be answered, 1 to 90.
    reply_days: Option<i32>,
    /// All rules for the units that the alliance calls to whistles, no two for the same deadline and kind.
    whistle_rules: Option<Vec<WhistleDeadlineRuleInput>>,
    /// How many hours before the deadline to resolve a whistle's matter a reminder goes out, 0 to 2,160.
    whistle_remind_hours: Option<i32>,
    /// How many days before its due date a priority task shows as due in the inboxes of its organisations, 0 to 90. It holds at once
    /// for every task that was not told of yet.
    task_remind_days: Option<i32>,
}

payload!(
    /// What came of setting an alliance's deadlines.
    DeadlinePolicyPayload {
        /// The alliance.
        alliance: Alliance
    }
);

#[derive(Default)]
pub struct DeadlineMutation;

#[Object]
impl DeadlineMutation {
    /// Sets an alliance's deadlines and levels of supervision, for what begins from now on; what runs keeps its deadline. Only
    /// the committee may.
    async fn set_deadline_policy(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is set.")] input: SetDeadlinePolicyInput,
    ) -> Result<DeadlinePolicyPayload> {
        let ctx = ctx(context);
        let result = async {
            let alliance = id::decode(&input.alliance_id, "allianceId")?;
            let rule = |rule: DeadlineRuleInput| Rule {
                clock: rule.clock.into(),
                severity: rule.severity.map(Into::into),
                tier: rule.tier.map(Into::into),
                is_complex: rule.is_complex,
                // What is below nothing is refused as nothing is.
                limit: Limit {
                    amount: u32::try_from(rule.amount).unwrap_or_default(),
                    unit: rule.unit.into(),
                },
            };
            let level = |level: SupervisionLevelInput| Level {
                after_days: u32::try_from(level.after_days).unwrap_or(u32::MAX),
                name: level.name,
                colour: level.colour.into(),
                demand: level.demand,
            };
            let of_whistles = |rule: WhistleDeadlineRuleInput| deadlines::Rule {
                clock: rule.clock.into(),
                kind: rule.kind.map(Into::into),
                amount: u32::try_from(rule.amount).unwrap_or_default(),
                unit: rule.unit.into(),
            };
            let change = PolicyChange {
                whistle_rules: input.whistle_rules.map(|rules| rules.into_iter().map(of_whistles).collect()),
                whistle_remind_hours: input.whistle_remind_hours,
                task_remind_days: input.task_remind_days,
                rules: input.rules.map(|rules| rules.into_iter().map(rule).collect()),
                levels: input.levels.map(|levels| levels.into_iter().map(level).collect()),
                remind_hours: input.remind_hours,
                reply_days: input.reply_days,
            };
            verbs::set(ctx, alliance, input.expected_version, change).await
        }
        .await;
        DeadlinePolicyPayload::of(ctx, result).await
    }
}
