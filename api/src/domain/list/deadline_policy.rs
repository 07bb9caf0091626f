//! What an alliance sets for its deadlines: limits by clock, urgency, tier and complexity, what follows when one passes, and when
//! units are reminded, of tasks too.
//! What it does not set takes the platform's defaults (dispatching and resolution after Beijing's DB11/T 2021—2022).

use chrono::{DateTime, NaiveDate, Utc};
use concord_entities::{
    alliance,
    breach::Clock,
    deadline_policy::{self, Model},
    id::{AllianceId, ProblemId},
    problem::{self, Severity, Tier},
    problem_responsible::Unit,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, JoinType, QueryFilter,
    QuerySelect, RelationTrait, Select,
};
use serde::{Deserialize, Serialize};

use super::{
    deadline::{self, Due, Limit, Place},
    problem::zone,
};
use crate::domain::{
    Action, Code, Ctx, Error, Event, Fact, Result, Target,
    calendar::{
        store,
        working_day::{Calendar, MAX_WORKING_DAYS},
    },
    governance::{self, alliance::expect_version},
    text,
    whistle::deadlines,
};

/// Most rules of an alliance.
const RULES: usize = 60;
/// Most levels of supervision.
const LEVELS: usize = 5;
/// How many days before its due date the units of a task are reminded where the alliance sets nothing.
pub(super) const TASK_REMIND_DAYS: i32 = 3;
/// Longest limit, in hours and in days.
const MOST_HOURS: u32 = 24 * 366;

/// What one clock is limited by, for the problems that fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    pub clock: Clock,
    /// Only problems of this urgency.
    pub severity: Option<Severity>,
    /// Only problems of this tier.
    pub tier: Option<Tier>,
    /// Only complex problems, or only others.
    pub is_complex: Option<bool>,
    #[serde(flatten)]
    pub limit: Limit,
}

/// A level of supervision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    /// How many days after the deadline it is reached, unless the matter is done by then; 0 for the first.
    pub after_days: u32,
    pub name: String,
    pub colour: Colour,
    /// What is demanded.
    pub demand: String,
}

/// How a level is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Colour {
    Blue,
    Yellow,
    Orange,
    Red,
}

impl Colour {
    /// As stored.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Blue => "blue",
            Self::Yellow => "yellow",
            Self::Orange => "orange",
            Self::Red => "red",
        }
    }

    /// From what is stored.
    pub fn parse(text: &str) -> Self {
        [Self::Blue, Self::Yellow, Self::Orange]
            .into_iter()
            .find(|one| one.text() == text)
            .unwrap_or(Self::Red)
    }
}

/// What of a problem a limit depends on.
#[derive(Clone, Copy, Debug)]
pub struct Traits {
    pub severity: Severity,
    pub tier: Option<Tier>,
    pub is_complex: bool,
}

impl Traits {
    pub const fn of(row: &problem::Model) -> Self {
        Self { severity: row.severity, tier: row.tier, is_complex: row.is_complex }
    }
}

/// What an alliance sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    pub rules: Vec<Rule>,
    pub levels: Vec<Level>,
    /// How many hours before a resolution's deadline a reminder goes out.
    pub remind_hours: i32,
    /// Within how many days a supervision notice is to be answered.
    pub reply_days: i32,
    /// 0 while the alliance has set nothing.
    pub version: i64,
    pub whistle_rules: Vec<deadlines::Rule>,
    /// How many hours before the deadline to resolve a whistle's matter a reminder goes out.
    pub whistle_remind_hours: i32,
    /// How many days before its due date the units of a task are reminded.
    pub task_remind_days: i32,
}

impl Default for Policy {
    fn default() -> Self {
        let level = |after_days, name: &str, colour, demand: &str| Level {
            after_days,
            name: name.to_owned(),
            colour,
            demand: demand.to_owned(),
        };
        Self {
            rules: Vec::new(),
            levels: vec![
                level(0, "督办", Colour::Yellow, "已超过办理期限，请在回复期限内书面说明原因并抓紧办结。"),
                level(3, "约谈", Colour::Orange, "仍未办结，请单位负责人到场说明情况并明确办结时间。"),
                level(7, "通报", Colour::Red, "长期未办结，将在联盟内通报，请立即办结并书面报告。"),
            ],
            remind_hours: 72,
            reply_days: 3,
            version: 0,
            whistle_rules: Vec::new(),
            whistle_remind_hours: 24,
            task_remind_days: TASK_REMIND_DAYS,
        }
    }
}

impl From<Model> for Policy {
    fn from(row: Model) -> Self {
        let defaults = Self::default();
        Self {
            rules: serde_json::from_str(&row.rules).unwrap_or_default(),
            levels: serde_json::from_str(&row.levels).unwrap_or(defaults.levels),
            remind_hours: row.remind_hours,
            reply_days: row.reply_days,
            version: row.version,
            whistle_rules: serde_json::from_str(&row.whistle_rules).unwrap_or_default(),
            whistle_remind_hours: row.whistle_remind_hours,
            task_remind_days: row.task_remind_days,
        }
    }
}

impl Policy {
    /// What limits a clock: the rule that says most about the problem, of several the first; else the default.
    pub fn limit(&self, clock: Clock, of: Traits) -> Limit {
        let fits = |rule: &&Rule| {
            rule.clock == clock
                && rule.severity.is_none_or(|severity| severity == of.severity)
                && rule.tier.is_none_or(|tier| Some(tier) == of.tier)
                && rule.is_complex.is_none_or(|complex| complex == of.is_complex)
        };
        let says = |rule: &Rule| {
            u8::from(rule.severity.is_some())
                + u8::from(rule.tier.is_some())
                + u8::from(rule.is_complex.is_some())
        };
        let best = self.rules.iter().filter(fits).rev().max_by_key(|rule| says(rule));
        best.map_or_else(|| default_limit(clock, of), |rule| rule.limit)
    }

    /// Whether any limit counts working days.
    fn needs_calendar(&self) -> bool {
        self.rules.iter().any(|rule| rule.limit.unit == Unit::WorkingDays)
    }
}

/// The platform's own limits: dispatching 1 h where life or property is at risk, 2 h for utilities, 24 h otherwise; the same
/// for the response; resolution 2 h, 24 h, 7 days, and 15 days for complex matters.
pub const fn default_limit(clock: Clock, of: Traits) -> Limit {
    let (amount, unit) = match (clock, of.severity) {
        (Clock::Dispatch | Clock::Response, Severity::LifeSafety) => (1, Unit::Hours),
        (Clock::Dispatch | Clock::Response, Severity::Utilities)
        | (Clock::Resolution, Severity::LifeSafety) => (2, Unit::Hours),
        (Clock::Dispatch | Clock::Response, Severity::Ordinary)
        | (Clock::Resolution, Severity::Utilities) => (24, Unit::Hours),
        (Clock::Resolution, Severity::Ordinary) if of.is_complex => (15, Unit::Days),
        (Clock::Resolution, Severity::Ordinary) => (7, Unit::Days),
    };
    Limit { amount, unit }
}

/// A clock that runs: what it counts from, its limit where it has one, and when it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Running {
    pub from: DateTime<Utc>,
    pub limit: Option<Limit>,
    pub due: Due,
    pub remind_at: DateTime<Utc>,
}

/// What an alliance's deadlines are computed with.
#[derive(Clone, Debug)]
pub struct Terms {
    pub policy: Policy,
    pub place: Place,
}

impl Terms {
    /// Read ahead of a unit of work, as long as nothing else has to be known first: whoever changes the policy meanwhile changes
    /// what comes after. Within one it reads through it, since whoever holds a connection may not wait for another.
    pub async fn of_problem(db: &impl ConnectionTrait, id: ProblemId) -> Result<Self> {
        let select = alliance::Entity::find()
            .join_rev(JoinType::InnerJoin, problem::Relation::Alliance.def())
            .filter(problem::Column::Id.eq(id));
        Self::read(db, select).await
    }

    /// The same for what has no problem yet.
    pub async fn of_alliance(db: &impl ConnectionTrait, id: AllianceId) -> Result<Self> {
        Self::read(db, alliance::Entity::find().filter(alliance::Column::Id.eq(id))).await
    }

    /// The same of the alliance that a statement selects.
    pub async fn read(db: &impl ConnectionTrait, select: Select<alliance::Entity>) -> Result<Self> {
        let (Some(alliance), policy) = with_policy(db, select).await? else {
            // Of an alliance that is not there, nothing is computed.
            let place = Place { zone: chrono_tz::Tz::UTC, calendar: Calendar::default() };
            return Ok(Self { policy: Policy::default(), place });
        };
        Self::of(db, &alliance, policy).await
    }

    /// Those of an alliance whose policy is at hand.
    pub async fn of(db: &impl ConnectionTrait, alliance: &alliance::Model, policy: Policy) -> Result<Self> {
        let calendar = if policy.needs_calendar() {
            store::load(db, Some(alliance.id)).await?
        } else {
            Calendar::default()
        };
        Ok(Self { policy, place: Place { zone: zone(&alliance.time_zone), calendar } })
    }

    /// When a clock ends that begins at an instant.
    pub fn due(&self, clock: Clock, of: Traits, from: DateTime<Utc>) -> Result<Due> {
        self.due_within(self.policy.limit(clock, of), from)
    }

    fn due_within(&self, limit: Limit, from: DateTime<Utc>) -> Result<Due> {
        self.place.due(from, limit).ok_or_else(|| Error::internal("a deadline beyond the calendar"))
    }

    /// A resolution's clock that begins at an instant.
    pub fn resolution(&self, of: Traits, from: DateTime<Utc>) -> Result<Running> {
        self.within(self.policy.limit(Clock::Resolution, of), from)
    }

    /// A clock of this limit.
    pub fn within(&self, limit: Limit, from: DateTime<Utc>) -> Result<Running> {
        let due = self.due_within(limit, from)?;
        Ok(Running { from, limit: Some(limit), due, remind_at: self.remind_at(from, due.at) })
    }

    /// A clock that ends with a day that somebody set, or at an instant that was known before.
    pub fn until(&self, from: DateTime<Utc>, due_at: DateTime<Utc>) -> Running {
        let due = Due { at: due_at, is_provisional: false };
        Running { from, limit: None, due, remind_at: self.remind_at(from, due_at) }
    }

    fn remind_at(&self, from: DateTime<Utc>, due_at: DateTime<Utc>) -> DateTime<Utc> {
        deadline::remind_at(from, due_at, self.policy.remind_hours)
    }

    /// The last day on which a notice issued at an instant may be answered.
    pub fn reply_by(&self, at: DateTime<Utc>) -> NaiveDate {
        let days = u64::try_from(self.policy.reply_days).unwrap_or_default();
        self.place.day(at).checked_add_days(chrono::Days::new(days)).unwrap_or(NaiveDate::MAX)
    }
}

/// An alliance and what it sets, in one statement.
pub async fn with_policy(
    db: &impl ConnectionTrait,
    select: Select<alliance::Entity>,
) -> Result<(Option<alliance::Model>, Policy)> {
    let found = select
        .join_rev(JoinType::LeftJoin, deadline_policy::Relation::Alliance.def())
        .select_also(deadline_policy::Entity)
        .one(db)
        .await?;
    let (alliance, row) = found.map_or((None, None), |(alliance, row)| (Some(alliance), row));
    Ok((alliance, row.map_or_else(Policy::default, Policy::from)))
}

/// What is set anew; absent means unchanged.
#[derive(Clone, Debug, Default)]
pub struct PolicyChange {
    pub rules: Option<Vec<Rule>>,
    pub levels: Option<Vec<Level>>,
    pub remind_hours: Option<i32>,
    pub reply_days: Option<i32>,
    pub whistle_rules: Option<Vec<deadlines::Rule>>,
    pub whistle_remind_hours: Option<i32>,
    pub task_remind_days: Option<i32>,
}

/// Sets an alliance's deadlines. What runs already keeps its deadline.
pub async fn set(
    ctx: &Ctx,
    id: AllianceId,
    expected: Option<i64>,
    change: PolicyChange,
) -> Result<alliance::Model> {
    let tx = ctx.begin().await?;
    // The alliance's row keeps two who set it from passing each other.
    let alliance = governance::alliance::visible(ctx)
        .filter(alliance::Column::Id.eq(id))
        .lock(sea_orm::sea_query::LockType::NoKeyUpdate)
        .one(&tx.db)
        .await?
        .ok_or(Error::NotFound("alliance"))?;
    ctx.require(&tx.db, Action::SetDeadlinePolicy, Target::alliance(id)).await?;
    let row = deadline_policy::Entity::find_by_id(id).one(&tx.db).await?;
    let is_new = row.is_none();
    let mut policy = row.map_or_else(Policy::default, Policy::from);
    if let Some(expected) = expected {
        expect_version(expected, policy.version)?;
    }
    if let Some(rules) = change.rules {
        policy.rules = checked_rules(rules)?;
    }
    if let Some(levels) = change.levels {
        policy.levels = checked_levels(levels)?;
    }
    if let Some(hours) = change.remind_hours {
        policy.remind_hours = text::within(hours, "remindHours", 0, 24 * 90)?;
    }
    if let Some(days) = change.reply_days {
        policy.reply_days = text::within(days, "replyDays", 1, 90)?;
    }
    if let Some(rules) = change.whistle_rules {
        policy.whistle_rules = deadlines::checked(rules)?;
    }
    if let Some(hours) = change.whistle_remind_hours {
        policy.whistle_remind_hours = text::within(hours, "whistleRemindHours", 0, 24 * 90)?;
    }
    if let Some(days) = change.task_remind_days {
        policy.task_remind_days = text::within(days, "taskRemindDays", 0, 90)?;
    }
    policy.version += 1;
    let stored = deadline_policy::ActiveModel {
        alliance_id: Set(id),
        rules: Set(serde_json::to_string(&policy.rules).map_err(Error::internal)?),
        levels: Set(serde_json::to_string(&policy.levels).map_err(Error::internal)?),
        remind_hours: Set(policy.remind_hours),
        reply_days: Set(policy.reply_days),
        version: Set(policy.version),
        whistle_rules: Set(serde_json::to_string(&policy.whistle_rules).map_err(Error::internal)?),
        whistle_remind_hours: Set(policy.whistle_remind_hours),
        task_remind_days: Set(policy.task_remind_days),
    };
    if is_new {
        stored.insert(&tx.db).await?;
    } else {
        stored.update(&tx.db).await?;
    }
    let told = Fact::of(Event::DeadlinePolicySet, id)
        .alliance(id)
        .detail("rules", serde_json::to_value(&policy.rules).map_err(Error::internal)?)
        .detail("levels", serde_json::to_value(&policy.levels).map_err(Error::internal)?)
        .detail("remindHours", policy.remind_hours)
        .detail("replyDays", policy.reply_days)
        .detail("whistleRules", serde_json::to_value(&policy.whistle_rules).map_err(Error::internal)?)
        .detail("whistleRemindHours", policy.whistle_remind_hours)
        .detail("taskRemindDays", policy.task_remind_days);
    tx.record(told).await?;
    tx.commit(id).await?;
    Ok(alliance)
}

fn checked_rules(rules: Vec<Rule>) -> Result<Vec<Rule>> {
    if rules.len() > RULES {
        return Err(Error::invalid(Code::OutOfRange, "rules").with("least", 0).with("most", RULES));
    }
    for (index, rule) in rules.iter().enumerate() {
        let most = match rule.limit.unit {
            Unit::Hours => MOST_HOURS,
            Unit::Days | Unit::WorkingDays => MAX_WORKING_DAYS / 10,
        };
        if !(1..=most).contains(&rule.limit.amount) {
            let field = format!("rules.{index}.amount");
            return Err(Error::invalid(Code::OutOfRange, field).with("least", 1).with("most", most));
        }
        let same = |other: &Rule| {
            (other.clock, other.severity, other.tier, other.is_complex)
                == (rule.clock, rule.severity, rule.tier, rule.is_complex)
        };
        if rules.iter().take(index).any(same) {
            return Err(Error::invalid(Code::AlreadyExists, format!("rules.{index}")));
        }
    }
    Ok(rules)
}

fn checked_levels(levels: Vec<Level>) -> Result<Vec<Level>> {
    if levels.is_empty() || levels.len() > LEVELS {
        return Err(Error::invalid(Code::OutOfRange, "levels").with("least", 1).with("most", LEVELS));
    }
    let mut checked: Vec<Level> = Vec::with_capacity(levels.len());
    for (index, level) in levels.into_iter().enumerate() {
        let field = |name: &str| format!("levels.{index}.{name}");
        // The first follows the deadline at once, each other one later than the one before.
        let (least, most) = match checked.last() {
            None => (0, 0),
            Some(before) => (before.after_days + 1, 366),
        };
        if !(least..=most).contains(&level.after_days) {
            return Err(Error::invalid(Code::OutOfRange, field("afterDays"))
                .with("least", least)
                .with("most", most));
        }
        checked.push(Level {
            name: text::required(&level.name, "name", 64).map_err(|error| error.at(field("name")))?,
            demand: text::required(&level.demand, "demand", 1_000)
                .map_err(|error| error.at(field("demand")))?,
            ..level
        });
    }
    Ok(checked)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDINARY: Traits =
        Traits { severity: Severity::Ordinary, tier: Some(Tier::Small), is_complex: false };

    fn rule(severity: Option<Severity>, tier: Option<Tier>, amount: u32) -> Rule {
        let limit = Limit { amount, unit: Unit::WorkingDays };
        Rule { clock: Clock::Resolution, severity, tier, is_complex: None, limit }
    }

    #[test]
    fn the_rule_that_says_most_decides_and_of_several_the_first() {
        let rules = vec![
            rule(None, None, 1),
            rule(None, Some(Tier::Small), 2),
            rule(Some(Severity::Ordinary), None, 3),
            rule(Some(Severity::Ordinary), Some(Tier::Hard), 4),
        ];
        let policy = Policy { rules, ..Policy::default() };
        assert_eq!(policy.limit(Clock::Resolution, ORDINARY).amount, 2);
        let hard = Traits { tier: Some(Tier::Hard), ..ORDINARY };
        assert_eq!(policy.limit(Clock::Resolution, hard).amount, 4);
        let urgent = Traits { severity: Severity::LifeSafety, tier: None, is_complex: true };
        assert_eq!(policy.limit(Clock::Resolution, urgent).amount, 1);
        assert_eq!(policy.limit(Clock::Dispatch, urgent), Limit { amount: 1, unit: Unit::Hours });
    }

    #[test]
    fn without_rules_beijing_s_limits_hold() {
        let limit = |clock, severity, is_complex| {
            let limit = Policy::default().limit(clock, Traits { severity, tier: None, is_complex });
            (limit.amount, limit.unit)
        };
        assert_eq!(limit(Clock::Dispatch, Severity::LifeSafety, false), (1, Unit::Hours));
        assert_eq!(limit(Clock::Dispatch, Severity::Utilities, false), (2, Unit::Hours));
        assert_eq!(limit(Clock::Dispatch, Severity::Ordinary, true), (24, Unit::Hours));
        assert_eq!(limit(Clock::Resolution, Severity::LifeSafety, true), (2, Unit::Hours));
        assert_eq!(limit(Clock::Resolution, Severity::Utilities, false), (24, Unit::Hours));
        assert_eq!(limit(Clock::Resolution, Severity::Ordinary, false), (7, Unit::Days));
        assert_eq!(limit(Clock::Resolution, Severity::Ordinary, true), (15, Unit::Days));
    }

    #[test]
    fn what_is_stored_reads_back() {
        let rules = vec![rule(Some(Severity::Utilities), None, 5)];
        let text = serde_json::to_string(&rules).expect("JSON");
        assert_eq!(serde_json::from_str::<Vec<Rule>>(&text).expect("rules"), rules);
        assert!(Colour::parse(Colour::Blue.text()) == Colour::Blue && Colour::parse("red") == Colour::Red);
    }
}
