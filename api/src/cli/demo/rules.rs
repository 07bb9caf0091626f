//! What the town settles for itself: how long its units have, what follows when that passes, and a day off that the State
//! Council's notices do not know.

use concord_entities::{
    breach::Clock,
    calendar_day::Kind,
    problem::{Severity, Tier},
    problem_responsible::Unit,
};

use super::{days::MONTHS_BEHIND, story::Story};
use crate::domain::{
    Result,
    calendar::days,
    list::{
        deadline::Limit,
        deadline_policy::{self, Colour, Level, PolicyChange, Rule},
    },
};

/// Which working day of the last month is a local day off.
const FESTIVAL: u32 = 10;

/// The committee sets the limits by urgency and tier, in calendar days and in working days, and the levels of supervision.
pub async fn limits(story: &Story<'_>) -> Result<()> {
    let rule = |severity, tier, amount, unit| Rule {
        clock: Clock::Resolution,
        severity,
        tier,
        is_complex: None,
        limit: Limit { amount, unit },
    };
    let level = |after_days, name: &str, colour, demand: &str| Level {
        after_days,
        name: name.to_owned(),
        colour,
        demand: demand.to_owned(),
    };
    let change = PolicyChange {
        rules: Some(vec![
            rule(Some(Severity::LifeSafety), None, 3, Unit::Days),
            rule(Some(Severity::Utilities), None, 3, Unit::WorkingDays),
            rule(None, Some(Tier::Small), 5, Unit::WorkingDays),
            rule(None, Some(Tier::Big), 10, Unit::WorkingDays),
            rule(None, Some(Tier::Hard), 20, Unit::WorkingDays),
        ]),
        levels: Some(vec![
            level(0, "督办", Colour::Yellow, "已超过办理期限，请书面说明原因并抓紧办结。"),
            level(5, "约谈", Colour::Red, "仍未办结，请单位负责人到镇党委说明情况。"),
        ]),
        remind_hours: Some(48),
        reply_days: Some(2),
        ..PolicyChange::default()
    };
    deadline_policy::set(&story.of("committee")?, story.town()?, Some(0), change).await?;
    Ok(())
}

/// The committee gives the town a day off, in the midst of the month before the present one.
pub async fn day_off(story: &Story<'_>) -> Result<()> {
    let on = story.days.working_day(story.days.month(MONTHS_BEHIND), FESTIVAL);
    days::set_local(&story.of("committee")?, story.town()?, on, Some(Kind::Off), Some("西海镇赛马节")).await
}
