//! The tenant wall: which alliances a caller may read, as a subquery inside the reading statement itself. A noun's own
//! `visible` starts here; nothing about rights is remembered between statements.

use concord_entities::{
    account, alliance_closure, api_key, api_key_scope,
    id::{AccountId, AllianceId},
    seat::{self, Role},
};
use sea_orm::{
    ActiveEnum, ColumnTrait, Condition, EntityTrait, ExprTrait, IntoSimpleExpr, JoinType, QueryFilter,
    QuerySelect, QueryTrait, RelationTrait, Select,
    sea_query::{Expr, Query, SelectStatement, SimpleExpr},
};

use super::context::{Actor, Ctx};

/// Roles that also see the alliances below their own.
pub const SUPERVISING: [Role; 3] = [Role::Committee, Role::Approver, Role::Observer];

/// One of the product's own words, written into a statement instead of bound to it: the database plans with it, and there is less
/// to send. The type lets nothing through that somebody gave.
pub fn word(word: impl ActiveEnum) -> SimpleExpr {
    Expr::Constant(word.to_value().into())
}

/// A condition that holds where `alliance` is one the caller may read.
pub fn in_alliances(ctx: &Ctx, alliance: impl IntoSimpleExpr) -> Condition {
    match alliances(ctx) {
        Reach::All => Condition::all(),
        Reach::None => Condition::all().add(Expr::val(1).eq(0)),
        Reach::Of(select) => Condition::all().add(alliance.into_simple_expr().in_subquery(*select)),
    }
}

/// The same for lists that are narrowed to an owner: a filter that the database never turns into a join. Its index yields the
/// owner's rows in the order asked for, and a join of a few alliances with them would lead it away from that.
pub fn in_alliances_of_few(ctx: &Ctx, alliance: impl IntoSimpleExpr) -> SimpleExpr {
    Expr::expr(SimpleExpr::from(in_alliances(ctx, alliance))).is(Expr::Constant(true.into()))
}

/// A condition that holds where `alliance` is this one or stands below it in the tree. It says nothing of what the caller may read.
pub fn at_or_below(alliance: impl ColumnTrait, top: AllianceId) -> SimpleExpr {
    let tree = alliance_closure::Entity::find()
        .select_only()
        .column(alliance_closure::Column::DescendantId)
        .filter(alliance_closure::Column::AncestorId.eq(top))
        .into_query();
    alliance.in_subquery(tree)
}

/// How far a caller sees.
pub enum Reach {
    All,
    None,
    /// The identifiers that this statement selects.
    Of(Box<SelectStatement>),
}

/// The alliances that the caller may read.
pub fn alliances(ctx: &Ctx) -> Reach {
    let select = match ctx.actor {
        Actor::System => return Reach::All,
        Actor::Anonymous => return Reach::None,
        // Part of nearly every statement, and therefore without the columns that the entities would select first.
        Actor::Account { id, .. } => Query::select()
            .column((alliance_closure::Entity, alliance_closure::Column::DescendantId))
            .from(seat::Entity)
            .inner_join(
                account::Entity,
                col(account::Column::Id).equals((seat::Entity, seat::Column::AccountId)),
            )
            .inner_join(
                alliance_closure::Entity,
                col(alliance_closure::Column::AncestorId).equals((seat::Entity, seat::Column::AllianceId)),
            )
            .and_where(seat::Column::AccountId.eq(id))
            .and_where(col(seat::Column::State).eq(word(seat::State::Active)))
            .and_where(col(account::Column::State).eq(word(account::State::Active)))
            .and_where(
                col(alliance_closure::Column::Depth)
                    .eq(Expr::Constant(0.into()))
                    .or(col(seat::Column::Role).is_in(SUPERVISING.map(word))),
            )
            .take(),
        Actor::Key(id) => Query::select()
            .column((api_key_scope::Entity, api_key_scope::Column::AllianceId))
            .from(api_key_scope::Entity)
            .inner_join(
                api_key::Entity,
                col(api_key::Column::Id).equals((api_key_scope::Entity, api_key_scope::Column::ApiKeyId)),
            )
            .and_where(api_key_scope::Column::ApiKeyId.eq(id))
            .and_where(api_key::Column::RevokedAt.is_null())
            .and_where(api_key::Column::ExpiresAt.gt(ctx.now()))
            .take(),
    };
    Reach::Of(Box::new(select))
}

/// A condition that holds where the caller runs or supervises `alliance`, or one above it.
pub fn supervised(ctx: &Ctx, alliance: impl IntoSimpleExpr) -> Condition {
    let Actor::Account { id, .. } = ctx.actor else {
        return Condition::all().add(Expr::val(ctx.actor == Actor::System));
    };
    let reached = Query::select()
        .column((alliance_closure::Entity, alliance_closure::Column::DescendantId))
        .from(seat::Entity)
        .inner_join(account::Entity, col(account::Column::Id).equals((seat::Entity, seat::Column::AccountId)))
        .inner_join(
            alliance_closure::Entity,
            col(alliance_closure::Column::AncestorId).equals((seat::Entity, seat::Column::AllianceId)),
        )
        .and_where(seat::Column::AccountId.eq(id))
        .and_where(col(seat::Column::State).eq(word(seat::State::Active)))
        .and_where(col(account::Column::State).eq(word(account::State::Active)))
        .and_where(col(seat::Column::Role).is_in(SUPERVISING.map(word)))
        .take();
    Condition::all().add(alliance.into_simple_expr().in_subquery(reached))
}

fn col(column: impl IntoSimpleExpr) -> SimpleExpr {
    column.into_simple_expr()
}

/// A condition that holds where the caller acts for `organization` in `alliance`. A seat speaks for its unit in its own
/// alliance alone: another alliance may seat the same unit and choose whom it likes to act for it there.
pub fn acts_for(ctx: &Ctx, alliance: impl IntoSimpleExpr, organization: impl IntoSimpleExpr) -> Condition {
    let Actor::Account { id, .. } = ctx.actor else {
        return Condition::all().add(Expr::val(1).eq(0));
    };
    let own = own_units(id)
        .select_only()
        .columns([seat::Column::AllianceId, seat::Column::OrganizationId])
        .into_query();
    let place = Expr::tuple([alliance.into_simple_expr(), organization.into_simple_expr()]);
    Condition::all().add(place.in_subquery(own))
}

/// The active seats in which a person acts for an organisation.
pub fn own_units(account: AccountId) -> Select<seat::Entity> {
    seat::Entity::find()
        .join(JoinType::InnerJoin, seat::Relation::Account.def())
        .filter(col(account::Column::State).eq(word(account::State::Active)))
        .filter(seat::Column::AccountId.eq(account))
        .filter(col(seat::Column::State).eq(word(seat::State::Active)))
        .filter(seat::Column::OrganizationId.is_not_null())
}

/// The alliance a row belongs to, as an expression: for joins that go through another table.
pub fn alliance_is(column: impl IntoSimpleExpr, id: AllianceId) -> SimpleExpr {
    column.into_simple_expr().eq(uuid::Uuid::from(id))
}
