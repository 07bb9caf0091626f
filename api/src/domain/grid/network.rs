//! Establishing a grid network: of each kind an alliance has one.

use concord_entities::{
    grid_network::{self, Column, Entity, Kind, Model},
    id::AllianceId,
};
use sea_orm::{ActiveEnum, ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};

use crate::domain::{Action, Code, Ctx, Error, Event, Fact, Result, Target, Tx, governance::alliance::hold};

/// Establishes a network. Only the committee may.
pub async fn establish(ctx: &Ctx, alliance_id: AllianceId, kind: Kind) -> Result<Model> {
    let tx = ctx.begin().await?;
    hold(&tx, alliance_id).await?;
    ctx.require(&tx.db, Action::EstablishGridNetwork, Target::alliance(alliance_id)).await?;
    let row = insert(&tx, alliance_id, kind).await?;
    tx.commit(row.id).await?;
    Ok(row)
}

/// Establishes a network within a unit of work whose rights were checked and that holds the alliance.
pub async fn insert(tx: &Tx<'_>, alliance_id: AllianceId, kind: Kind) -> Result<Model> {
    if of(tx, alliance_id, kind).await?.is_some() {
        return Err(Error::invalid(Code::AlreadyExists, "kind"));
    }
    let row = grid_network::ActiveModel {
        id: Set(tx.ctx.new_id()),
        alliance_id: Set(alliance_id),
        kind: Set(kind),
        established_at: Set(tx.ctx.now()),
        established_by: Set(tx.ctx.author()),
    };
    let row = row.insert(&tx.db).await?;
    let fact = Fact::of(Event::GridNetworkEstablished, row.id).alliance(alliance_id);
    tx.record(fact.detail("kind", kind.to_value())).await?;
    Ok(row)
}

/// An alliance's network of a kind.
pub async fn of(tx: &Tx<'_>, alliance_id: AllianceId, kind: Kind) -> Result<Option<Model>> {
    let found = Entity::find().filter(Column::AllianceId.eq(alliance_id)).filter(Column::Kind.eq(kind));
    Ok(found.one(&tx.db).await?)
}
