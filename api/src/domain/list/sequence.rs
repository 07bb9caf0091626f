//! Numbers without gaps: per alliance and year, under any concurrency.

use concord_entities::id::AllianceId;
use sea_orm::{
    ConnectionTrait, ExprTrait,
    sea_query::{Alias, Expr, OnConflict, Query},
};

use crate::domain::{Error, Result, Tx};

/// The table that counts problems.
pub const PROBLEMS: &str = "problem_sequence";
/// The table that counts supervision notices.
pub const NOTICES: &str = "notice_sequence";
/// The table that counts whistles.
pub const WHISTLES: &str = "whistle_sequence";
/// The table that counts mobilisations.
pub const MOBILIZATIONS: &str = "mobilization_sequence";

/// Takes the next `count` numbers of an alliance's year and gives the first. Whoever else takes numbers there waits for
/// this unit of work, and a rollback gives them back: so no number is lost and none is given twice.
pub async fn take(
    tx: &Tx<'_>,
    table: &'static str,
    alliance: AllianceId,
    year: i32,
    count: i32,
) -> Result<i32> {
    let [table, of, within, last] = [table, "alliance_id", "year", "last"].map(Alias::new);
    let statement = Query::insert()
        .into_table(table.clone())
        .columns([of.clone(), within.clone(), last.clone()])
        .values_panic([alliance.0.into(), year.into(), count.into()])
        .on_conflict(
            OnConflict::columns([of, within])
                .value(last.clone(), Expr::col((table, last.clone())).add(count))
                .to_owned(),
        )
        .returning_col(last)
        .to_owned();
    let row = tx.db.query_one(&statement).await?.ok_or_else(|| Error::internal("no number came back"))?;
    let last: i32 = row.try_get("", "last")?;
    Ok(last - count + 1)
}
