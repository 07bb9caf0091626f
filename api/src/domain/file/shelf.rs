//! Clearing away: bytes that no file names any more. Equal bytes lie once however many files name them, so whoever notes
//! or clears some holds them first.

use concord_entities::stored_file::{Column, Entity};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, PaginatorTrait, QueryFilter,
    QuerySelect, Statement,
};

use super::refused;
use crate::{
    domain::{Ctx, Result, Tx},
    storage::Sha256Hex,
};

/// Most files of one sweep.
const BATCH: u64 = 200;

/// Waits until nobody else notes or clears these bytes; until the unit of work ends nobody else does.
pub(super) async fn hold(tx: &Tx<'_>, sha256: &Sha256Hex) -> Result<()> {
    // SQLite has one writer at a time anyway.
    if tx.db.get_database_backend() == DbBackend::Postgres {
        let head = sha256.as_str().get(..15).unwrap_or_default();
        let key = i64::from_str_radix(head, 16).unwrap_or_default();
        let text = "SELECT pg_advisory_xact_lock($1)";
        tx.db.execute_raw(Statement::from_sql_and_values(DbBackend::Postgres, text, [key.into()])).await?;
    }
    Ok(())
}

/// Removes bytes unless a file names them.
async fn clear(tx: &Tx<'_>, sha256: &Sha256Hex) -> Result<()> {
    hold(tx, sha256).await?;
    let named =
        Condition::any().add(Column::Sha256.eq(sha256.as_str())).add(Column::CopySha256.eq(sha256.as_str()));
    if Entity::find().filter(named).count(&tx.db).await? == 0 {
        tx.ctx.app.files.remove(sha256).await.map_err(refused)?;
    }
    Ok(())
}

/// Removes the bytes of an upload that was refused after they had been stored.
pub(super) async fn discard(ctx: &Ctx, sha256: &Sha256Hex) -> Result<()> {
    let system = Ctx { idempotency: None, ..ctx.clone() };
    let tx = system.begin().await?;
    clear(&tx, sha256).await?;
    tx.db.rollback().await?;
    Ok(())
}

/// Forgets files that nothing was attached to within their hour, and what crashes left of uploads. Tells how many.
pub async fn sweep(ctx: &Ctx) -> Result<usize> {
    let expired =
        Entity::find().filter(Column::ExpiresAt.lte(ctx.now())).limit(BATCH).all(ctx.read()).await?;
    let mut swept = 0;
    for file in expired {
        let tx = ctx.begin().await?;
        let gone = Entity::delete_many()
            .filter(Column::Id.eq(file.id))
            .filter(Column::ExpiresAt.lte(ctx.now()))
            .exec(&tx.db)
            .await?;
        if gone.rows_affected == 1 {
            for digest in std::iter::once(&file.sha256).chain(file.copy_sha256.as_ref()) {
                if let Ok(sha256) = digest.parse() {
                    clear(&tx, &sha256).await?;
                }
            }
            tx.commit(file.id).await?;
            swept += 1;
        }
    }
    Ok(swept)
}
