//! Filters that a person keeps under a name, for themselves alone. What a filter may hold is the schema's business: here it
//! is a text that has been checked. Who applies one sees what they may see then.

use concord_entities::{
    account,
    id::{SavedFilterId, TypedId},
    saved_filter::{ActiveModel, Column, Entity, Model, Noun},
};
use sea_orm::{
    ActiveEnum, ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, EntityTrait, ExprTrait,
    IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select, sea_query::Expr,
};

use crate::domain::{Actor, Code, Ctx, Error, Event, Fact, Result, text};

/// Most filters that one person keeps.
pub const MOST: u64 = 50;
/// Longest name.
const NAME: usize = 64;
/// Longest filter.
const FILTER: usize = 8_000;

/// The caller's own filters, also those let go of.
pub fn visible(ctx: &Ctx) -> Select<Entity> {
    let own = match ctx.actor {
        Actor::Account { id, .. } => Condition::all().add(Column::AccountId.eq(id)),
        Actor::System => Condition::all(),
        Actor::Anonymous | Actor::Key(_) => Condition::all().add(Expr::val(1).eq(0)),
    };
    Entity::find().filter(own)
}

/// One filter, if it is the caller's own.
pub async fn find(ctx: &Ctx, id: SavedFilterId) -> Result<Option<Model>> {
    Ok(visible(ctx).filter(Column::Id.eq(id)).one(ctx.read()).await?)
}

/// The filters that the caller keeps, by name; those of one list where it is named.
pub async fn list(ctx: &Ctx, noun: Option<Noun>) -> Result<Vec<Model>> {
    ctx.account_id()?;
    let of =
        Condition::all().add(Column::EndedAt.is_null()).add_option(noun.map(|noun| Column::Noun.eq(noun)));
    let select = visible(ctx).filter(of).order_by_asc(Column::Name).order_by_asc(Column::Id).limit(MOST);
    Ok(select.all(ctx.read()).await?)
}

/// Keeps a filter under a name that stands for no other of the same list.
pub async fn save(ctx: &Ctx, noun: Noun, name: &str, filter: String) -> Result<Model> {
    let account_id = ctx.account_id()?;
    let tx = ctx.begin().await?;
    let name = text::required(name, "name", NAME)?;
    if filter.chars().count() > FILTER {
        return Err(Error::invalid(Code::TooLong, "filter").with("most", FILTER));
    }
    // Two that save at once count each other.
    account::Entity::find_by_id(account_id).lock_exclusive().one(&tx.db).await?;
    let kept = || visible(ctx).filter(Column::EndedAt.is_null());
    if kept().filter(Column::Noun.eq(noun)).filter(Column::Name.eq(name.as_str())).count(&tx.db).await? > 0 {
        return Err(Error::invalid(Code::AlreadyExists, "name"));
    }
    if kept().count(&tx.db).await? >= MOST {
        return Err(Error::invalid(Code::OutOfRange, "filter").with("least", 0).with("most", MOST));
    }
    let row = ActiveModel {
        id: Set(ctx.new_id()),
        account_id: Set(account_id),
        noun: Set(noun),
        name: Set(name),
        filter: Set(filter),
        created_at: Set(ctx.now()),
        ended_at: Set(None),
    };
    let row = row.insert(&tx.db).await?;
    tx.record(Fact::of(Event::SavedFilterCreated, row.id).detail("noun", noun.to_value())).await?;
    tx.commit(row.id).await?;
    Ok(row)
}

/// Lets go of one of the caller's own filters.
pub async fn delete(ctx: &Ctx, id: SavedFilterId) -> Result<Model> {
    let tx = ctx.begin().await?;
    let row = visible(ctx)
        .filter(Column::Id.eq(id))
        .lock_exclusive()
        .one(&tx.db)
        .await?
        .ok_or(Error::NotFound(SavedFilterId::NOUN))?;
    if row.ended_at.is_some() {
        return Err(Error::refused(Code::StateRefused).with("state", "DELETED"));
    }
    let mut change = row.into_active_model();
    change.ended_at = Set(Some(ctx.now()));
    let row = change.update(&tx.db).await?;
    tx.record(Fact::of(Event::SavedFilterDeleted, id).detail("noun", row.noun.to_value())).await?;
    tx.commit(id).await?;
    Ok(row)
}
