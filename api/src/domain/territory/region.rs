//! Regions are public knowledge: everyone who is signed in may read the tree. Only the platform records them.

use concord_entities::{
    id::RegionId,
    region::{self, Level},
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use crate::domain::{
    Code, Ctx, Error, Event, Fact, Result, governance::alliance::require_platform_admin, text,
};

/// A region recorded by hand.
#[derive(Clone, Debug)]
pub struct NewRegion {
    pub parent_id: Option<RegionId>,
    pub code: Option<String>,
    pub name: String,
    pub level: Level,
}

/// The identifier of an official region follows from its code, so that an import needs no look-up and can run again.
pub fn id_of_code(code: &str) -> RegionId {
    let mut bytes = [0_u8; 16];
    for (target, source) in bytes.iter_mut().zip(b"CNR\0".iter().chain(code.as_bytes())) {
        *target = *source;
    }
    RegionId(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}

/// The step of a region in the paths of those below it.
pub fn step(code: Option<&str>, id: RegionId) -> String {
    code.map_or_else(|| Uuid::from(id).simple().to_string(), str::to_owned)
}

/// Records a region.
pub async fn record(ctx: &Ctx, new: NewRegion) -> Result<region::Model> {
    let tx = ctx.begin().await?;
    require_platform_admin(&tx).await?;
    let name = text::required(&new.name, "name", 128)?;
    if let Some(code) = &new.code
        && !(matches!(code.len(), 2 | 4 | 6 | 9 | 12) && code.bytes().all(|byte| byte.is_ascii_digit()))
    {
        return Err(Error::invalid(Code::Malformed, "code").with("expected", "2, 4, 6, 9, 12"));
    }
    let id = new.code.as_deref().map_or_else(|| ctx.new_id(), id_of_code);
    let above = match new.parent_id {
        None => "/".to_owned(),
        Some(parent) => {
            let parent =
                region::Entity::find_by_id(parent).one(&tx.db).await?.ok_or(Error::NotFound("region"))?;
            if parent.level >= new.level {
                return Err(Error::invalid(Code::Malformed, "level").with("expected", "below its parent"));
            }
            parent.path
        }
    };
    if let Some(code) = &new.code
        && region::Entity::find().filter(region::Column::Code.eq(code)).one(&tx.db).await?.is_some()
    {
        return Err(Error::invalid(Code::AlreadyExists, "code"));
    }
    let path = format!("{above}{}/", step(new.code.as_deref(), id));
    let row = region::ActiveModel {
        id: Set(id),
        parent_id: Set(new.parent_id),
        code: Set(new.code),
        name: Set(name),
        level: Set(new.level),
        path: Set(path),
        created_at: Set(ctx.now()),
    };
    let row = row.insert(&tx.db).await?;
    tx.record(Fact::of(Event::RegionRecorded, id).detail("name", row.name.clone())).await?;
    tx.commit(id).await?;
    Ok(row)
}

/// One region.
pub async fn find(ctx: &Ctx, id: RegionId) -> Result<Option<region::Model>> {
    ctx.require_signed_in()?;
    Ok(region::Entity::find_by_id(id).one(ctx.read()).await?)
}
