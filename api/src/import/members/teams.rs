//! The rows of `teams.csv`: service teams of members that are on record or came with the same roster.

use concord_entities::{id::OrganizationId, service_team};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::{Fate, MOST_ROWS, Work};
use crate::{
    domain::{
        Code, Error, Result,
        governance::service_team::{self as teams, NewTeam, TeamChange},
        text,
    },
    import::{
        Source,
        csv::{Column, Row, Table, optional, required},
    },
};

const NAME: usize = 0;
const LEAD: usize = 1;
const MEMBERS: usize = 2;
const CAPTAIN: usize = 3;
const CAPTAIN_TITLE: usize = 4;
const CAPTAIN_PHONE: usize = 5;
const LIAISON: usize = 6;
const LIAISON_PHONE: usize = 7;

const COLUMNS: [Column; 8] = [
    required(&["服务队", "服务队名称", "名称", "name", "team"]),
    required(&["牵头单位", "lead"]),
    required(&["成员单位", "members"]),
    // The rotation table of the paper ledger keeps a person and the post, or the phone, in one column.
    required(&["队长", "队长/职务", "captain"]),
    optional(&["队长职务", "职务", "captain_title"]),
    optional(&["队长电话", "captain_phone"]),
    optional(&["联络员", "联络员/电话", "liaison"]),
    optional(&["联络员电话", "电话", "liaison_phone"]),
];

/// Imports a file of teams.
pub(super) async fn import(work: &mut Work<'_>, source: &Source) -> Result<()> {
    let mut table = match Table::open(source, &COLUMNS, MOST_ROWS) {
        Ok(table) => table,
        Err(error) => {
            work.refuse(error);
            return Ok(());
        }
    };
    work.lines.clear();
    loop {
        let (line, result) = match table.next_row() {
            None => return Ok(()),
            Some(Err(error)) => {
                work.refuse(error);
                continue;
            }
            Some(Ok(row)) => (row.line, team(work, &row).await),
        };
        work.settle(&table, line, result)?;
    }
}

async fn team(work: &mut Work<'_>, row: &Row<'_>) -> std::result::Result<Fate, (u64, Error)> {
    let at = |column: usize| move |error: Error| (row.column(column), error);
    let placed = |error: Error| {
        let column = match &error {
            Error::Refused(refusal) => match refusal.field.as_deref() {
                Some("memberOrganizationIds") => MEMBERS,
                Some("captainName") => CAPTAIN,
                Some("captainTitle") => CAPTAIN_TITLE,
                Some("captainPhone") => CAPTAIN_PHONE,
                Some("liaisonName") => LIAISON,
                Some("liaisonPhone") => LIAISON_PHONE,
                _ => NAME,
            },
            _ => NAME,
        };
        (row.column(column), error)
    };
    let name = text::required(row.get(NAME), "name", 128).map_err(at(NAME))?;
    if row.get(LEAD).is_empty() {
        return Err(at(LEAD)(Error::invalid(Code::Required, "lead")));
    }
    let lead = resolve(work, row.get(LEAD)).map_err(at(LEAD))?;
    let mut units = vec![lead];
    for unit in row.get(MEMBERS).split(['、', '；', ';', '，', ',', '|', '\n']).map(str::trim) {
        if !unit.is_empty() {
            let unit = resolve(work, unit).map_err(at(MEMBERS))?;
            if !units.contains(&unit) {
                units.push(unit);
            }
        }
    }
    let (captain, title) = pair(row, CAPTAIN, CAPTAIN_TITLE);
    let (liaison, phone) = pair(row, LIAISON, LIAISON_PHONE);
    let standing = service_team::Entity::find()
        .filter(service_team::Column::AllianceId.eq(work.alliance))
        .filter(service_team::Column::EndedAt.is_null())
        .filter(service_team::Column::Name.eq(&name))
        .one(&work.tx.db)
        .await
        .map_err(|error| at(NAME)(error.into()))?;
    let Some(standing) = standing else {
        let new = NewTeam {
            name,
            lead_organization_id: lead,
            member_organization_ids: units,
            captain_name: captain.unwrap_or_default(),
            captain_title: title,
            captain_phone: row.filled(CAPTAIN_PHONE),
            liaison_name: liaison,
            liaison_phone: phone,
        };
        let team = teams::insert(work.tx, work.alliance, new).await.map_err(placed)?;
        work.once(team.id, row.line).map_err(at(NAME))?;
        return Ok(Fate::Imported);
    };
    work.once(standing.id, row.line).map_err(at(NAME))?;
    let mut before = teams::members(&work.tx.db, &[standing.id])
        .await
        .map_err(at(NAME))?
        .remove(&standing.id)
        .unwrap_or_default();
    before.sort_unstable();
    let mut wanted = units.clone();
    wanted.sort_unstable();
    // A blank cell says nothing, so it changes nothing.
    let differs = |value: &Option<String>, now: &Option<String>| value.is_some() && value != now;
    let captain_phone = row.filled(CAPTAIN_PHONE);
    let same = before == wanted
        && standing.lead_organization_id == lead
        && captain.as_ref().is_none_or(|captain| *captain == standing.captain_name)
        && !differs(&title, &standing.captain_title)
        && !differs(&captain_phone, &standing.captain_phone)
        && !differs(&liaison, &standing.liaison_name)
        && !differs(&phone, &standing.liaison_phone);
    if same {
        return Ok(Fate::Unchanged);
    }
    let change = TeamChange {
        name: None,
        lead_organization_id: Some(lead),
        member_organization_ids: Some(units),
        captain_name: captain,
        captain_title: title.map(Some),
        captain_phone: captain_phone.map(Some),
        liaison_name: liaison.map(Some),
        liaison_phone: phone.map(Some),
    };
    teams::amend(work.tx, standing, change).await.map_err(placed)?;
    Ok(Fate::Updated)
}

/// A member by its full or short name, or its credit code.
fn resolve(work: &Work<'_>, name: &str) -> Result<OrganizationId> {
    work.known
        .named(name)
        .map(|(seat, _)| seat.organization_id)
        .ok_or_else(|| Error::refused(Code::ImportUnknown).with("value", name))
}

/// A person and what belongs to them: from two columns, or from one that holds both.
fn pair(row: &Row<'_>, person: usize, detail: usize) -> (Option<String>, Option<String>) {
    let apart = row.filled(detail);
    match row.get(person).split_once(['/', '／']) {
        Some((person, detail)) if apart.is_none() => {
            let filled = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
            (filled(person), filled(detail))
        }
        _ => (row.filled(person), apart),
    }
}
