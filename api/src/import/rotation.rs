//! The rotation table (轮值表) as towns keep it: which team is on duty in which month, brought in by the same columns in which it is
//! written. Months that no plan has yet become a draft plan, each given to its team by hand; the committee submits or publishes it
//! like any other. What a table tells of what happened is not taken over: whoever came, docked and handed over says so here.

use std::collections::{BTreeMap, HashMap};

use chrono::{Datelike, Months, NaiveDate};
use concord_entities::{
    alliance,
    id::{AllianceId, ServiceTeamId},
    rotation_plan::{self, CadenceUnit, State},
    rotation_slot, service_team,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::{
    Options, Report, RowError, Source,
    csv::{Column, Row, Table, optional, required},
};
use crate::domain::{
    Action, Code, Ctx, Error, Result, Target, Tx,
    governance::alliance::hold,
    ledger::{EXCUSED, Span},
    rotation::{
        plan::{self, NewPlan, Opened, PlanChange},
        publish, slot,
        slots::slot_on,
        timetable::{self, Timetable, Turn},
    },
};

/// Most bytes of a file.
pub const MOST_BYTES: u64 = 16 << 20;
/// Most rows of a file.
const MOST_ROWS: u64 = 2_000;
/// Years that a month may lie in.
const YEARS: std::ops::RangeInclusive<i32> = 2000..=2100;

const MONTH: usize = 0;
const TEAM: usize = 1;
const REASON: usize = 2;
const STATE: usize = 3;

const COLUMNS: [Column; 4] = [
    required(&["月份(起止)", "月份（起止）", "月份"]),
    required(&["服务队"]),
    optional(&["调换说明"]),
    optional(&["备注"]),
];

/// One month of the table.
#[derive(Clone, Debug)]
pub struct Line {
    pub line: u64,
    /// The places of the columns in the file.
    columns: [usize; COLUMNS.len()],
    /// Its first day.
    pub month_on: NaiveDate,
    pub team: String,
    reason: Option<String>,
}

/// The column at fault among those that are read, and why.
type Fault = (usize, Error);

/// Reads a whole file: the months in order, each once. Where one cannot be read or is missing there is nothing, for the months are
/// one rotation; a month that nobody has is one of them.
pub fn read(source: &Source, report: &mut Report) -> Vec<Line> {
    let mut table = match Table::open(source, &COLUMNS, MOST_ROWS) {
        Ok(table) => table,
        Err(error) => {
            report.refuse(error);
            return Vec::new();
        }
    };
    let columns: [usize; COLUMNS.len()] = table.all_places();
    let mut months: BTreeMap<NaiveDate, (u64, Option<Line>)> = BTreeMap::new();
    let mut is_whole = true;
    loop {
        let (line, read) = match table.next_row() {
            None => break,
            Some(Err(error)) => {
                report.refuse(error);
                is_whole = false;
                continue;
            }
            Some(Ok(row)) => {
                (row.line, month_of(&row).map(|month_on| (month_on, duty(&row, columns, month_on))))
            }
        };
        let refusal = |(column, error): Fault| table.refusal(line, table.place(column), error);
        match read {
            Err(fault) => {
                report.refuse(refusal(fault));
                is_whole = false;
            }
            Ok((month_on, duty)) => {
                let (_, standing) = months.entry(month_on).or_insert((line, None));
                match (duty, standing) {
                    (Err(fault @ (STATE, _)), _) => report.leave(refusal(fault)),
                    (Err(fault), _) => report.refuse(refusal(fault)),
                    (Ok(_), Some(first)) => {
                        let twice = Error::refused(Code::ImportDuplicate).with("first", first.line);
                        report.refuse(refusal((MONTH, twice)));
                    }
                    (Ok(duty), standing) => *standing = Some(duty),
                }
            }
        }
    }
    let mut expected = None;
    for (month_on, (line, _)) in &months {
        if let Some(missing) = expected.filter(|expected| expected != month_on) {
            let gap = Error::refused(Code::Malformed).with("expected", Span::Month(missing).name());
            report.refuse(table.refusal(*line, table.place(MONTH), gap));
            is_whole = false;
        }
        expected = Some(after(*month_on));
    }
    if !is_whole {
        return Vec::new();
    }
    months.into_values().filter_map(|(_, duty)| duty).collect()
}

fn month_of(row: &Row<'_>) -> Result<NaiveDate, Fault> {
    let text = row.unguarded(MONTH).ok_or_else(|| (MONTH, Error::refused(Code::Required)))?;
    month(text).ok_or_else(|| {
        (MONTH, Error::refused(Code::Malformed).with("expected", "2026年2月(2026-02-01至2026-02-28)"))
    })
}

/// Who is on duty in the month of a row; a team that was excused is not.
fn duty(row: &Row<'_>, columns: [usize; COLUMNS.len()], month_on: NaiveDate) -> Result<Line, Fault> {
    if row.unguarded(STATE).is_some_and(|state| state == EXCUSED) {
        return Err((STATE, Error::refused(Code::StateRefused).with("state", EXCUSED)));
    }
    let text = |column| row.unguarded(column).map(str::to_owned);
    let team = text(TEAM).ok_or_else(|| (TEAM, Error::refused(Code::Required)))?;
    Ok(Line { line: row.line, columns, month_on, team, reason: text(REASON) })
}

/// A calendar month with its days, or without them; by its first day.
fn month(text: &str) -> Option<NaiveDate> {
    let (name, days) = match text.split_once(['(', '（']) {
        Some((name, days)) => (name, Some(days.strip_suffix([')', '）'])?)),
        None => (text, None),
    };
    let (year, month) = name.trim().trim_end_matches('月').split_once(['年', '-'])?;
    let year = year.trim().parse::<i32>().ok().filter(|year| YEARS.contains(year))?;
    let first = NaiveDate::from_ymd_opt(year, month.trim().parse().ok()?, 1)?;
    let day = |text: &str| text.trim().parse::<NaiveDate>().ok();
    let agrees = days.is_none_or(|days| {
        days.split_once('至')
            .is_some_and(|(from, to)| day(from) == Some(first) && day(to) == after(first).pred_opt())
    });
    agrees.then_some(first)
}

/// The month after one of the years that are read.
fn after(month_on: NaiveDate) -> NaiveDate {
    month_on.checked_add_months(Months::new(1)).unwrap_or(NaiveDate::MAX)
}

/// Imports a file of months in one unit of work. A dry run does the same and takes it all back.
pub async fn run(ctx: &Ctx, alliance: AllianceId, source: &Source, options: Options<'_>) -> Result<Report> {
    let mut report = Report::default();
    let lines = read(source, &mut report);
    let tx = ctx.begin().await?;
    let alliance = hold(&tx, alliance).await?;
    for action in [Action::ManageRotationPlan, Action::AssignRotationSlot] {
        ctx.require(&tx.db, action, Target::alliance(alliance.id)).await?;
    }
    let id = alliance.id;
    let mut work = Work { tx: &tx, alliance, file: &source.name, report, done: 0, options };
    work.take(lines).await?;
    let mut report = work.report;
    report.errors.sort_by_key(|error| (error.line, error.column));
    report.notes.sort_by_key(|note| note.line);
    if !options.dry_run && report.imported + report.updated > 0 {
        tx.commit(Uuid::from(id)).await?;
    }
    Ok(report)
}

/// Who is on duty in a month, and by which plan.
struct Standing {
    team: String,
    plan: String,
}

/// Months that stand, by their first days.
type Duties = BTreeMap<NaiveDate, Standing>;

/// What is to become of a month.
enum Fate {
    /// It stands as the file says.
    Unchanged,
    /// It went by before anybody was on duty by a plan.
    Left(Error),
    /// It is given to a team.
    Given(ServiceTeamId),
}

/// An import under way.
struct Work<'a> {
    tx: &'a Tx<'a>,
    alliance: alliance::Model,
    file: &'a str,
    report: Report,
    done: u64,
    options: Options<'a>,
}

impl Work<'_> {
    async fn take(&mut self, lines: Vec<Line>) -> Result<()> {
        let announced = self.announced().await?;
        let is_told = |line: &Line| announced.get(&line.month_on).is_some_and(|told| told.team == line.team);
        let (told, lines): (Vec<Line>, Vec<Line>) = lines.into_iter().partition(is_told);
        for _ in &told {
            self.report.unchanged += 1;
            self.step();
        }
        let free = |line: &&Line| !announced.contains_key(&line.month_on);
        let free: Vec<NaiveDate> = lines.iter().filter(free).map(|line| line.month_on).collect();
        let all: Vec<NaiveDate> = lines.iter().map(|line| line.month_on).collect();
        let opened = match self.plan_of(&all).await? {
            Some(opened) => Some(opened),
            None => self.plan_of(&free).await?,
        };
        let planned = match &opened {
            Some(opened) => self.planned(&opened.plan).await?,
            None => Duties::new(),
        };
        let teams = self.teams().await?;
        // In the order in which the file first names them, whatever becomes of their months.
        let mut order: Vec<ServiceTeamId> = Vec::new();
        for team in lines.iter().filter_map(|line| teams.get(&line.team)) {
            if !order.contains(team) {
                order.push(*team);
            }
        }
        let mut given = Vec::new();
        for line in lines {
            let stands = planned.get(&line.month_on).or_else(|| announced.get(&line.month_on));
            match self.fate(&line, opened.as_ref(), stands, &teams) {
                Ok(Fate::Given(team)) => {
                    given.push((line, team));
                    continue;
                }
                Ok(Fate::Unchanged) => self.report.unchanged += 1,
                Ok(Fate::Left(note)) => {
                    let note = self.refusal(&line, (MONTH, note));
                    self.report.leave(note);
                }
                Err(fault) => self.refuse(&line, fault)?,
            }
            self.step();
        }
        if given.is_empty() {
            return Ok(());
        }
        let opened = match opened {
            Some(opened) => self.listing(opened, &given).await,
            None => self.draft(&free, order, &given).await,
        };
        match opened {
            Ok(opened) => self.give(&opened, given).await,
            // No month of the file can be without its plan.
            Err(error @ Error::Refused(_)) => {
                self.report.refuse(RowError { file: self.file.to_owned(), line: 0, column: 0, error });
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// What is to become of a month, of which something may stand.
    fn fate(
        &self,
        line: &Line,
        opened: Option<&Opened>,
        stands: Option<&Standing>,
        teams: &HashMap<String, ServiceTeamId>,
    ) -> Result<Fate, Fault> {
        if stands.is_some_and(|stands| stands.team == line.team) {
            return Ok(Fate::Unchanged);
        }
        let now = self.tx.ctx.now();
        let turn = opened.and_then(|opened| turn_of(&opened.plan, &self.alliance, line.month_on));
        let is_over = match (opened, &turn) {
            (Some(opened), Some(turn)) => opened.is_frozen(turn, now),
            _ => {
                let days = (line.month_on, after(line.month_on));
                timetable::turn(1, days, timetable::zone(&self.alliance)).ended(now)
            }
        };
        let over = || Error::refused(Code::SlotBegun).with("month", line.month_on.format("%Y-%m"));
        match stands {
            Some(_) if is_over => Err((TEAM, over())),
            None if is_over => Ok(Fate::Left(over())),
            Some(stands)
                if turn.is_none() || opened.is_some_and(|opened| opened.plan.name != stands.plan) =>
            {
                Err((MONTH, Error::refused(Code::RotationOverlaps).with("plan", &stands.plan)))
            }
            _ => {
                let unknown = || (TEAM, Error::refused(Code::ImportUnknown).with("value", &line.team));
                teams.get(&line.team).copied().map(Fate::Given).ok_or_else(unknown)
            }
        }
    }

    /// The months of what has been announced.
    async fn announced(&self) -> Result<Duties> {
        let rows = rotation_slot::Entity::find()
            .find_also_related(rotation_plan::Entity)
            .filter(rotation_slot::Column::AllianceId.eq(self.alliance.id))
            .filter(rotation_plan::Column::State.is_in([State::Published, State::Ended]))
            .all(&self.tx.db)
            .await?;
        let named =
            |(slot, plan): (rotation_slot::Model, Option<rotation_plan::Model>)| Some((slot, plan?.name));
        self.months(rows.into_iter().filter_map(named).collect()).await
    }

    /// The months of one plan.
    async fn planned(&self, plan: &rotation_plan::Model) -> Result<Duties> {
        let rows = plan::slots_of(&self.tx.db, plan.id).await?;
        self.months(rows.into_iter().map(|slot| (slot, plan.name.clone())).collect()).await
    }

    /// Of turns with the names of their plans those that are calendar months and that somebody has.
    async fn months(&self, mut rows: Vec<(rotation_slot::Model, String)>) -> Result<Duties> {
        rows.retain(|(slot, _)| {
            slot.state != rotation_slot::State::Excused
                && slot.starts_on.day() == 1
                && slot.ends_on == after(slot.starts_on)
        });
        let wanted: Vec<ServiceTeamId> = rows.iter().map(|(slot, _)| slot.team_id).collect();
        let teams = plan::teams_by_id(&self.tx.db, self.alliance.id, wanted).await?;
        let names: HashMap<ServiceTeamId, String> =
            teams.into_iter().map(|team| (team.id, team.name)).collect();
        let standing = |(slot, plan): (rotation_slot::Model, String)| {
            let team = names.get(&slot.team_id).cloned().unwrap_or_default();
            (slot.starts_on, Standing { team, plan })
        };
        Ok(rows.into_iter().map(standing).collect())
    }

    /// The teams of the alliance by their names.
    async fn teams(&self) -> Result<HashMap<String, ServiceTeamId>> {
        let rows = service_team::Entity::find()
            .filter(service_team::Column::AllianceId.eq(self.alliance.id))
            .filter(service_team::Column::EndedAt.is_null())
            .all(&self.tx.db)
            .await?;
        Ok(rows.into_iter().map(|team| (team.name, team.id)).collect())
    }

    /// The plan that has all these months, held: of several the one furthest on its way, then the latest.
    async fn plan_of(&self, months: &[NaiveDate]) -> Result<Option<Opened>> {
        if months.is_empty() {
            return Ok(None);
        }
        let plans = rotation_plan::Entity::find()
            .filter(rotation_plan::Column::AllianceId.eq(self.alliance.id))
            .filter(rotation_plan::Column::State.ne(State::Ended))
            .all(&self.tx.db)
            .await?;
        let has = |plan: &&rotation_plan::Model| {
            months.iter().all(|month_on| turn_of(plan, &self.alliance, *month_on).is_some())
        };
        match plans.iter().filter(has).max_by_key(|plan| (plan.state, plan.id)) {
            Some(plan) => plan::open(self.tx, plan.id).await.map(Some),
            None => Ok(None),
        }
    }

    /// A plan with the teams that are given months and that it lacks at the end of its list.
    async fn listing(&self, mut opened: Opened, given: &[(Line, ServiceTeamId)]) -> Result<Opened> {
        let mut teams = plan::team_order(&self.tx.db, opened.plan.id).await?;
        let before = teams.len();
        for (_, team) in given {
            if !teams.contains(team) {
                teams.push(*team);
            }
        }
        if teams.len() > before {
            let change = PlanChange { team_ids: Some(teams), ..PlanChange::default() };
            opened.plan = plan::amend(self.tx, &opened, change).await?;
        }
        Ok(opened)
    }

    /// Drafts a plan of the months that no plan has.
    async fn draft(
        &self,
        months: &[NaiveDate],
        team_ids: Vec<ServiceTeamId>,
        given: &[(Line, ServiceTeamId)],
    ) -> Result<Opened> {
        let ends = |months: &[NaiveDate]| (months.first().copied(), months.last().copied());
        let (Some(first), Some(last)) = ends(months) else {
            return Err(Error::internal("months are given and none is free"));
        };
        // Beside a draft that has some of them another would say the same months again.
        let drafts = rotation_plan::Entity::find()
            .filter(rotation_plan::Column::AllianceId.eq(self.alliance.id))
            .filter(rotation_plan::Column::State.eq(State::Draft))
            .all(&self.tx.db)
            .await?;
        let has_some = |plan: &&rotation_plan::Model| {
            months.iter().any(|month_on| turn_of(plan, &self.alliance, *month_on).is_some())
        };
        if let Some(plan) = drafts.iter().find(has_some) {
            return Err(Error::refused(Code::RotationOverlaps).with("plan", &plan.name));
        }
        let new = NewPlan {
            alliance_id: self.alliance.id,
            name: format!("{}至{}轮值", Span::Month(first).name(), Span::Month(last).name()),
            anchor_on: first,
            cadence_unit: CadenceUnit::Month,
            cadence_every: 1,
            slot_count: months_from(first, last) + 1,
            team_ids,
        };
        let plan = plan::insert(self.tx, &self.alliance, new).await?;
        let given: Vec<NaiveDate> = given.iter().map(|(line, _)| line.month_on).collect();
        if let (Some(first), Some(last)) = ends(&given) {
            publish::require_untaken(&self.tx.db, &plan, (first, after(last))).await?;
        }
        Ok(Opened { plan, alliance: self.alliance.clone() })
    }

    /// Gives months to teams, as the committee does by hand.
    async fn give(&mut self, opened: &Opened, given: Vec<(Line, ServiceTeamId)>) -> Result<()> {
        for (line, team) in given {
            let turn = turn_of(&opened.plan, &self.alliance, line.month_on);
            let number = turn.map(|turn| turn.number).unwrap_or_default();
            match slot::give(self.tx, opened, number, team, line.reason.as_deref(), None).await {
                // A turn that was there before is at a later version.
                Ok(slot) if slot.version > 1 => self.report.updated += 1,
                Ok(_) => self.report.imported += 1,
                Err(error) => {
                    let column = match error.code() {
                        Code::TeamBlocked => TEAM,
                        _ if error.field() == Some("reason") => REASON,
                        _ => MONTH,
                    };
                    self.refuse(&line, (column, error))?;
                }
            }
            self.step();
        }
        Ok(())
    }

    fn refusal(&self, line: &Line, (column, error): Fault) -> RowError {
        let place = line.columns.get(column).copied().unwrap_or_default();
        let column = u64::try_from(place).unwrap_or_default();
        RowError { file: self.file.to_owned(), line: line.line, column, error }
    }

    /// Notes a row that is refused; only what nobody can mend in the file stops the import.
    fn refuse(&mut self, line: &Line, (column, error): Fault) -> Result<()> {
        if !matches!(error, Error::Refused(_)) {
            return Err(error);
        }
        let refusal = self.refusal(line, (column, error));
        self.report.refuse(refusal);
        Ok(())
    }

    fn step(&mut self) {
        self.done += 1;
        (self.options.progress)(self.done);
    }
}

/// The turn of a plan that is just this month, if it has one.
fn turn_of(plan: &rotation_plan::Model, alliance: &alliance::Model, month_on: NaiveDate) -> Option<Turn> {
    let table = Timetable::of(plan, alliance);
    let number = i32::try_from(slot_on(table.anchor_on, table.cadence, month_on)?).ok()?;
    let turn = table.turn(number).ok()?;
    let is_month = turn.starts_on == month_on && turn.ends_on == after(month_on);
    (number <= plan.slot_count && is_month).then_some(turn)
}

/// How many months lie between two.
fn months_from(first: NaiveDate, last: NaiveDate) -> i32 {
    let of = |on: NaiveDate| on.year() * 12 + i32::try_from(on.month()).unwrap_or_default();
    of(last) - of(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_read_as_they_are_written() {
        let day = |text: &str| text.parse::<NaiveDate>().expect("a day");
        for text in [
            "2026年2月(2026-02-01至2026-02-28)",
            "2026年2月（2026-02-01至2026-02-28）",
            "2026年02月",
            "2026-02",
        ] {
            assert_eq!(month(text), Some(day("2026-02-01")), "{text}");
        }
        for text in [
            "",
            "二月",
            "2026年13月",
            "1999年1月",
            "2026年2月(2026-02-02至2026-02-08)",
            "2026年2月(2026-02-01至2026-03-31)",
            "2026年2月(2026-02-01至2026-02-28",
            "2026年2月()",
        ] {
            assert_eq!(month(text), None, "{text}");
        }
        assert_eq!(months_from(day("2025-11-01"), day("2026-02-01")), 3);
    }

    /// A place in a file, and what is wrong there.
    type Told = (u64, u64, Code);

    fn months_of(rows: &str) -> (Vec<(u64, String)>, Vec<Told>, u64) {
        let text = format!("月份(起止),服务队,备注\n{rows}");
        let source = Source { name: "轮值表.csv".to_owned(), bytes: text.into_bytes() };
        let mut report = Report::default();
        let lines = read(&source, &mut report);
        let told = report.errors.iter().map(|told| (told.line, told.column, told.error.code())).collect();
        (lines.into_iter().map(|line| (line.line, line.team)).collect(), told, report.left)
    }

    #[test]
    fn the_months_of_a_table_follow_each_other_and_stand_once() {
        let rows = "2026年2月,乙,已公布\n2026年1月,甲,\n2026年3月,丙,免轮\n2026年3月,甲,\n2026年4月,丁,免轮\n\
            2026年5月,,\n2026年6月,乙,\n2026年6月,丙,\n";
        let (months, told, left) = months_of(rows);
        let expected = [(3, "甲"), (2, "乙"), (5, "甲"), (8, "乙")];
        assert_eq!(months, expected.map(|(line, team)| (line, team.to_owned())));
        assert_eq!(told, [(7, 2, Code::Required), (9, 1, Code::ImportDuplicate)]);
        assert_eq!(left, 2);
        // One rotation is whole or nothing.
        for (rows, line) in [("2026年1月,甲,\n2026年3月,乙,\n", 3), ("2026年1月,甲,\n春天,乙,\n", 3)]
        {
            let (months, told, _) = months_of(rows);
            assert_eq!((months.len(), told), (0, vec![(line, 1, Code::Malformed)]), "{rows}");
        }
    }
}
