//! What check-ins write: each kind of row in one statement of a fixed text, whatever their number.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use concord_entities::{
    id::{MobilizationBatchId, MobilizationCheckInId, MobilizationId},
    mobilization, mobilization_batch, mobilization_check_in,
};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Came, Coming, Outcome, Transfer, Whereabouts, kept};
use crate::domain::{
    Code, Ctx, Error, Result, Tx,
    mobilization::rows::{self, Sql, identifier, instant},
};

/// How long what was answered is kept: as long as a key.
const KEPT: TimeDelta = TimeDelta::hours(24);

/// The latest time at which somebody is known to have been where they are.
const SEEN: &str =
    "(CASE WHEN mobilization_check_in.seen_at > mobilization_check_in.at THEN mobilization_check_in.seen_at
    ELSE mobilization_check_in.at END)";

/// Somebody who is not known to be on the order.
pub struct Fresh<'a> {
    pub id: MobilizationCheckInId,
    pub person: &'a [u8],
    pub coming: Coming,
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Puts on the order whoever is not there yet, in the order of the persons; tells whom.
pub async fn insert(
    tx: &Tx<'_>,
    order: &mobilization::Model,
    fresh: &[Fresh<'_>],
) -> Result<HashSet<MobilizationCheckInId>> {
    let rows: Vec<_> = fresh
        .iter()
        .map(|row| {
            let Coming { region, organization, shift, at } = row.coming;
            let (id, region) = (identifier(row.id), identifier(region));
            (id, hex(row.person), region, organization.map(identifier), shift.map(identifier), instant(at))
        })
        .collect();
    let sql = Sql::of(&tx.db);
    let text = format!(
        "INSERT INTO mobilization_check_in (id, person, region_id, organization_id, shift_id, at, first_region_id, first_at,
             mobilization_id, alliance_id, recorded_at, recorded_by)
         SELECT {id}, {person}, {region}, {organization}, {shift}, {at}, {region}, {at}, {order}, {alliance}, {now}, {by}
         FROM {rows} WHERE true ORDER BY 2
         ON CONFLICT (mobilization_id, person) DO NOTHING RETURNING id",
        id = sql.identifier(0),
        person = sql.bytes(1),
        region = sql.identifier(2),
        organization = sql.identifier(3),
        shift = sql.identifier(4),
        at = sql.instant(5),
        order = sql.parameter(2, "uuid"),
        alliance = sql.parameter(3, "uuid"),
        now = sql.parameter(4, "timestamptz"),
        by = sql.parameter(5, "uuid"),
        rows = sql.rows(),
    );
    let values = [
        rows::json(&rows)?,
        order.id.0.into(),
        order.alliance_id.0.into(),
        tx.ctx.now().into(),
        tx.ctx.author().map(|author| author.0).into(),
    ];
    let rows = tx.db.query_all_raw(sql.statement(text, values)).await?;
    rows.iter().map(|row| Ok(row.try_get("", "id")?)).collect()
}

/// Takes the rows of people who are on the order, in the order of the persons.
pub async fn lock(
    tx: &Tx<'_>,
    of: MobilizationId,
    people: &[&Vec<u8>],
) -> Result<Vec<mobilization_check_in::Model>> {
    let digests: Vec<String> = people.iter().map(|digest| hex(digest)).collect();
    let sql = Sql::of(&tx.db);
    let lock = if tx.ctx.app.backend() == sea_orm::DbBackend::Sqlite { "" } else { "FOR NO KEY UPDATE" };
    let text = format!(
        "SELECT * FROM mobilization_check_in WHERE mobilization_id = {order} AND person {among} ORDER BY person {lock}",
        order = sql.parameter(2, "uuid"),
        among = sql.among_row_bytes(),
    );
    let statement = sql.statement(text, [rows::json(&digests)?, of.0.into()]);
    Ok(mobilization_check_in::Model::find_by_statement(statement).all(&tx.db).await?)
}

/// Writes that somebody who is present leaves, no earlier than they are known to have been there; gives the row and the path of the place.
pub async fn leave(
    tx: &Tx<'_>,
    of: MobilizationId,
    person: &[u8],
    at: DateTime<Utc>,
) -> Result<Option<(mobilization_check_in::Model, String)>> {
    let sql = Sql::of(&tx.db);
    let text = format!(
        "UPDATE mobilization_check_in SET left_at = CASE WHEN {SEEN} > {left} THEN {SEEN} ELSE {left} END
         WHERE mobilization_id = {order} AND person = {person} AND left_at IS NULL
         RETURNING *, (SELECT path FROM mobilization_coverage place
             WHERE place.mobilization_id = mobilization_check_in.mobilization_id
             AND place.region_id = mobilization_check_in.region_id) AS path",
        left = sql.parameter(1, "timestamptz"),
        order = sql.parameter(2, "uuid"),
        person = sql.parameter(3, "bytea"),
    );
    let values = [at.into(), of.0.into(), person.to_vec().into()];
    let Some(row) = tx.db.query_one_raw(sql.statement(text, values)).await? else { return Ok(None) };
    Ok(Some((mobilization_check_in::Model::from_query_result(&row, "")?, row.try_get("", "path")?)))
}

/// Writes where people are by now.
pub async fn update(tx: &Tx<'_>, moved: &[(MobilizationCheckInId, Whereabouts)]) -> Result<()> {
    let rows: Vec<_> = moved
        .iter()
        .map(|(id, now)| {
            let (organization, shift) = (now.organization.map(identifier), now.shift.map(identifier));
            let place = (identifier(*id), identifier(now.region), organization, shift);
            let first = (identifier(now.first.0), instant(now.first.1));
            let (left, seen) = (now.left_at.map(instant), instant(now.seen));
            (place.0, place.1, place.2, place.3, instant(now.at), left, first.0, first.1, seen)
        })
        .collect();
    let sql = Sql::of(&tx.db);
    let text = format!(
        "UPDATE mobilization_check_in SET region_id = moved.region_id, organization_id = moved.organization_id,
             shift_id = moved.shift_id, at = moved.at, left_at = moved.left_at,
             first_region_id = moved.first_region_id, first_at = moved.first_at, seen_at = moved.seen_at
         FROM (SELECT {id} AS id, {region} AS region_id, {organization} AS organization_id, {shift} AS shift_id,
             {at} AS at, {left} AS left_at, {first_region} AS first_region_id, {first_at} AS first_at,
             {seen} AS seen_at FROM {rows}) moved
         WHERE mobilization_check_in.id = moved.id",
        id = sql.identifier(0),
        region = sql.identifier(1),
        organization = sql.identifier(2),
        shift = sql.identifier(3),
        at = sql.instant(4),
        left = sql.instant(5),
        first_region = sql.identifier(6),
        first_at = sql.instant(7),
        seen = sql.instant(8),
        rows = sql.rows(),
    );
    tx.db.execute_raw(sql.statement(text, [rows::json(&rows)?])).await?;
    Ok(())
}

/// Keeps who was where; what was told late is kept once.
pub async fn note(
    tx: &Tx<'_>,
    of: MobilizationId,
    transfers: &[(MobilizationCheckInId, Transfer)],
) -> Result<()> {
    let rows: Vec<_> = transfers
        .iter()
        .map(|(check_in, transfer)| {
            let id: Uuid = tx.ctx.new_id();
            let places = (identifier(transfer.from), identifier(transfer.to));
            (
                identifier(id),
                identifier(*check_in),
                places.0,
                places.1,
                instant(transfer.at),
                transfer.is_superseded,
            )
        })
        .collect();
    let sql = Sql::of(&tx.db);
    let text = format!(
        "INSERT INTO mobilization_transfer (id, check_in_id, from_region_id, to_region_id, at, is_superseded,
             mobilization_id, recorded_at, recorded_by)
         SELECT {id}, {check_in}, {from}, {to}, {at}, {superseded}, {order}, {now}, {by} FROM {rows} WHERE true
         ON CONFLICT (check_in_id, from_region_id, to_region_id, at) DO NOTHING",
        id = sql.identifier(0),
        check_in = sql.identifier(1),
        from = sql.identifier(2),
        to = sql.identifier(3),
        at = sql.instant(4),
        superseded = sql.boolean(5),
        order = sql.parameter(2, "uuid"),
        now = sql.parameter(3, "timestamptz"),
        by = sql.parameter(4, "uuid"),
        rows = sql.rows(),
    );
    let values =
        [rows::json(&rows)?, of.0.into(), tx.ctx.now().into(), tx.ctx.author().map(|author| author.0).into()];
    tx.db.execute_raw(sql.statement(text, values)).await?;
    Ok(())
}

/// What came of one check-in, as it is kept.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Kept {
    outcome: Option<Outcome>,
    check_in: Option<Uuid>,
    code: Option<String>,
    field: Option<String>,
    args: Vec<(String, String)>,
}

/// Names of what a refusal says beside its code.
const ARGS: [&str; 4] = ["least", "most", "expected", "state"];

impl Kept {
    pub fn of(came: &Came) -> Self {
        let none = Self { outcome: None, check_in: None, code: None, field: None, args: Vec::new() };
        match came {
            Ok((outcome, id)) => Self { outcome: Some(*outcome), check_in: Some(id.0), ..none },
            Err(error) => {
                let code = Some(error.code().text().to_owned());
                let field = error.field().map(str::to_owned);
                let Error::Refused(refusal) = error else { return Self { code, field, ..none } };
                let args = refusal.args.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
                Self { code, field, args: args.collect(), ..none }
            }
        }
    }

    fn came(self) -> Came {
        if let (Some(outcome), Some(id)) = (self.outcome, self.check_in) {
            return Ok((outcome, MobilizationCheckInId(id)));
        }
        let code = self.code.and_then(|text| Code::ALL.iter().copied().find(|code| code.text() == text));
        let code = code.ok_or_else(|| Error::internal("a kept answer says nothing"))?;
        Err(match code {
            Code::NotFound => match self.field {
                Some(field) => Error::NotFound("object").at(field),
                None => Error::NotFound("object"),
            },
            Code::Forbidden => Error::Forbidden,
            code => {
                let error = match self.field {
                    Some(field) => Error::invalid(code, field),
                    None => Error::refused(code),
                };
                let known = |name: &str| ARGS.iter().copied().find(|known| *known == name);
                self.args.into_iter().fold(error, |error, (name, value)| match known(&name) {
                    Some(name) => error.with(name, value),
                    None => error,
                })
            }
        })
    }
}

/// Keeps what a request is answered.
pub async fn keep(tx: &Tx<'_>, of: MobilizationId, came: &[Came]) -> Result<Uuid> {
    let id: MobilizationBatchId = tx.ctx.new_id();
    let row = mobilization_batch::ActiveModel {
        id: Set(id),
        mobilization_id: Set(of),
        recorded_by: Set(tx.ctx.author()),
        recorded_at: Set(tx.ctx.now()),
        results: Set(serde_json::to_string(&kept(came)).map_err(Error::internal)?),
    };
    mobilization_batch::Entity::insert(row).exec_without_returning(&tx.db).await?;
    Ok(id.0)
}

/// What a request was answered that is asked again under its key.
pub async fn replayed(ctx: &Ctx, id: Uuid) -> Result<Vec<Came>> {
    let row = mobilization_batch::Entity::find_by_id(MobilizationBatchId(id))
        .filter(mobilization_batch::Column::RecordedBy.eq(ctx.account_id()?))
        .one(ctx.read())
        .await?
        .ok_or(Error::NotFound("object"))?;
    let kept: Vec<Kept> = serde_json::from_str(&row.results).map_err(Error::internal)?;
    Ok(kept.into_iter().map(Kept::came).collect())
}

/// Forgets what was answered more than a day ago.
pub async fn sweep(ctx: &Ctx) -> Result<u64> {
    let done = mobilization_batch::Entity::delete_many()
        .filter(mobilization_batch::Column::RecordedAt.lt(ctx.now() - KEPT))
        .exec(&ctx.app.write)
        .await?;
    Ok(done.rows_affected)
}
