//! The frame of the story: its cast, and an agenda on which the duties of the months, the tasks and the problems take their
//! turns in the order of time. What each of them does stands in a file of its own; all of it goes through verbs.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use concord_entities::{
    id::{
        AccountId, AllianceId, HandoverId, OrganizationId, RegionId, RotationPlanId, RotationSlotId,
        RotationSwapId, ServiceTeamId,
    },
    seat::Role,
};

use super::{
    beijing,
    days::{Days, ZONE},
    duties, leping, nanyang, opening, problems, shiyan,
    stage::Stage,
    tasks, weihai,
};
use crate::{
    background,
    cli::Failure,
    domain::{Ctx, Error, Result},
};

/// Password of everybody in the demo.
pub const PASSWORD: &str = "xihai-demo-2026";

/// Somebody who can sign in, by the name of their part.
#[derive(Clone, Debug)]
pub struct Person {
    pub id: AccountId,
    pub username: String,
    pub display_name: String,
    pub role: Option<Role>,
    /// Short name of the unit they act for.
    pub unit: Option<String>,
}

/// Who and what the story is about.
#[derive(Default)]
pub struct Cast {
    pub alliances: BTreeMap<&'static str, AllianceId>,
    /// The town's communities, in the order of the register.
    pub communities: Vec<RegionId>,
    /// Member organisations by their short names.
    pub units: HashMap<String, OrganizationId>,
    /// Committees of the communities, in the same order as these.
    pub community_units: Vec<OrganizationId>,
    pub station_units: Vec<OrganizationId>,
    pub teams: Vec<ServiceTeamId>,
    /// Lead units of the teams.
    pub leads: Vec<OrganizationId>,
    /// One person per role, by the name of their part.
    pub people: BTreeMap<&'static str, Person>,
    /// People of the county, by the names of their accounts.
    pub county: BTreeMap<&'static str, AccountId>,
    /// Who does a unit's work.
    pub staff: HashMap<OrganizationId, AccountId>,
    pub plan: Option<RotationPlanId>,
    /// The turns by number.
    pub slots: BTreeMap<u32, Turn>,
    pub handovers: BTreeMap<u32, HandoverId>,
    pub swap: Option<RotationSwapId>,
    pub tasks: tasks::Book,
    pub problems: problems::Book,
    pub whistles: beijing::Book,
    pub grids: nanyang::Book,
}

/// A turn of the rotation and the place of its team in `teams`.
#[derive(Clone, Copy, Debug)]
pub struct Turn {
    pub id: RotationSlotId,
    pub team: usize,
}

/// The story while it is told.
pub struct Story<'stage> {
    pub stage: &'stage Stage,
    pub days: Days,
    pub cast: Cast,
}

/// Something that happens at its time.
#[derive(Clone, Copy, Debug)]
pub enum Cue {
    Duty(duties::Cue),
    Task(tasks::Cue),
    Problem(problems::Cue),
    Whistle(beijing::Cue),
    /// Weihai's branches at sea.
    Sea,
    /// Nanyang's grids.
    Grids,
    /// Leping's couriers.
    Couriers,
    /// Shiyan's compounds.
    Compounds,
    /// The background hands go round.
    Hands,
}

/// What happens when.
pub type Agenda = Vec<(DateTime<Utc>, Cue)>;

impl Story<'_> {
    /// The hand of somebody by the name of their part.
    pub fn of(&self, part: &'static str) -> Result<Ctx> {
        let person = self.cast.people.get(part).ok_or_else(|| missing(part))?;
        Ok(self.stage.hand(person.id))
    }

    /// The hand of whoever does a unit's work.
    pub fn staff(&self, unit: OrganizationId) -> Result<Ctx> {
        self.cast.staff.get(&unit).map(|id| self.stage.hand(*id)).ok_or_else(|| missing("staff"))
    }

    /// A member organisation by its short name.
    pub fn unit(&self, short: &str) -> Result<OrganizationId> {
        self.cast.units.get(short).copied().ok_or_else(|| missing(short))
    }

    pub fn town(&self) -> Result<AllianceId> {
        self.alliance("town")
    }

    pub fn alliance(&self, part: &str) -> Result<AllianceId> {
        self.cast.alliances.get(part).copied().ok_or_else(|| missing(part))
    }

    pub fn community(&self, index: usize) -> Result<RegionId> {
        self.cast.communities.get(index).copied().ok_or_else(|| missing("community"))
    }

    async fn play(&mut self, cue: Cue) -> Result<()> {
        match cue {
            Cue::Duty(cue) => Box::pin(duties::play(self, cue)).await,
            Cue::Task(cue) => Box::pin(tasks::play(self, cue)).await,
            Cue::Problem(cue) => Box::pin(problems::play(self, cue)).await,
            Cue::Whistle(cue) => Box::pin(beijing::play(self, cue)).await,
            Cue::Sea => Box::pin(weihai::play(self)).await,
            Cue::Grids => Box::pin(nanyang::play(self)).await,
            Cue::Couriers => Box::pin(leping::play(self)).await,
            Cue::Compounds => Box::pin(shiyan::play(self)).await,
            Cue::Hands => Box::pin(background::run_once(&self.stage.system())).await,
        }
    }
}

/// Something the story counts on is not there: a slip in its own data.
pub fn missing(what: &str) -> Error {
    Error::internal(format!("the story lacks {what}"))
}

/// Tells the whole story up to `end`, leaving the clock there.
pub async fn tell(stage: &Stage, end: DateTime<Utc>) -> Result<Cast, Failure> {
    let days = Days::until(end);
    stage.enter(days.beginning());
    let mut story = Story { stage, days, cast: Cast::default() };
    Box::pin(opening::play(&mut story))
        .await
        .map_err(|error| Failure::wrong(format!("the opening of the demo: {error:?}")))?;
    let mut agenda = Agenda::new();
    duties::agenda(&story, &mut agenda);
    tasks::agenda(&mut story, &mut agenda)
        .and_then(|()| problems::agenda(&mut story, &mut agenda))
        .map_err(|error| Failure::wrong(format!("the demo's agenda: {error:?}")))?;
    beijing::agenda(&story, &mut agenda);
    agenda.push((end - TimeDelta::days(8), Cue::Sea));
    agenda.push((end - TimeDelta::days(7), Cue::Grids));
    agenda.push((end - TimeDelta::days(6), Cue::Couriers));
    agenda.push((end - TimeDelta::days(5), Cue::Compounds));
    hands(&story, &mut agenda);
    // Whatever lies ahead of the end has not happened yet.
    agenda.retain(|(at, _)| *at <= end);
    agenda.sort_by_key(|(at, _)| *at);
    for (at, cue) in agenda {
        stage.advance(at);
        story
            .play(cue)
            .await
            .map_err(|error| Failure::wrong(format!("the demo at {at}, {cue:?}: {error:?}")))?;
    }
    stage.advance(end);
    story.play(Cue::Hands).await.map_err(|error| Failure::wrong(format!("the demo's end: {error:?}")))?;
    Ok(story.cast)
}

/// The hands go round every evening: they seal, remind, and find out who missed their turn.
fn hands(story: &Story<'_>, agenda: &mut Agenda) {
    let mut at = story.stage.now().with_timezone(&ZONE).date_naive();
    let last: NaiveDate = story.days.end.with_timezone(&ZONE).date_naive();
    while at <= last {
        agenda.push((super::days::local(at, 20, 0), Cue::Hands));
        at += TimeDelta::days(1);
    }
}
