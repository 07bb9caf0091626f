//! A numbered supervision notice (督办单): a demand to a unit that let a deadline pass, to be answered by a day.

use sea_orm::entity::prelude::*;

use crate::id::{
    AccountId, AllianceId, BreachId, OrganizationId, ProblemId, SupervisionNoticeId, WhistleBreachId,
    WhistleId, WhistleResponseId,
};

/// A numbered supervision notice (督办单): a demand to a unit that let a deadline pass, to be answered by a day.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "supervision_notice")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SupervisionNoticeId,
    /// Who issues it.
    pub alliance_id: AllianceId,
    /// Year of its number.
    pub year: i32,
    /// Gap-free within alliance and year.
    pub seq: i32,
    /// The number as shown.
    #[sea_orm(column_type = "String(StringLen::N(96))")]
    pub number: String,
    /// The problem that it is about; absent where it is about a call to a whistle.
    pub problem_id: Option<ProblemId>,
    /// To whom it is addressed.
    pub organization_id: OrganizationId,
    /// The problem's deadline that passed; absent where somebody issued it by hand.
    pub breach_id: Option<BreachId>,
    /// 1 for the first about a breach; it rises while the matter is not done.
    pub level: i32,
    /// What the level is called.
    #[sea_orm(column_type = "String(StringLen::N(64))")]
    pub name: String,
    /// The level's colour.
    #[sea_orm(column_type = "String(StringLen::N(24))")]
    pub colour: String,
    /// What is demanded.
    #[sea_orm(column_type = "Text")]
    pub demand: String,
    /// The last day on which it may be answered.
    pub reply_by: Date,
    /// When it was issued.
    pub issued_at: DateTimeUtc,
    /// Who issued it; absent where the deadline did.
    pub issued_by: Option<AccountId>,
    /// When the next level follows, unless the matter is done by then; absent where none does.
    pub escalates_at: Option<DateTimeUtc>,
    /// What the unit answered.
    #[sea_orm(column_type = "Text", nullable)]
    pub answer: Option<String>,
    /// When.
    pub answered_at: Option<DateTimeUtc>,
    /// Who.
    pub answered_by: Option<AccountId>,
    /// Grows by one with every change.
    pub version: i64,
    /// The whistle that it is about.
    pub whistle_id: Option<WhistleId>,
    /// The call to it.
    pub response_id: Option<WhistleResponseId>,
    /// The call's deadline that passed.
    pub whistle_breach_id: Option<WhistleBreachId>,
    /// When it was put on record that the day had passed without an answer.
    pub unanswered_at: Option<DateTimeUtc>,
    #[sea_orm(belongs_to, relation_enum = "Alliance", from = "alliance_id", to = "id")]
    pub alliance: BelongsTo<crate::governance::alliance::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Problem", from = "problem_id", to = "id")]
    pub problem: BelongsTo<Option<super::problem::Entity>>,
    #[sea_orm(belongs_to, relation_enum = "Organization", from = "organization_id", to = "id")]
    pub organization: BelongsTo<crate::governance::organization::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Breach", from = "breach_id", to = "id")]
    pub breach: BelongsTo<Option<super::breach::Entity>>,
    #[sea_orm(belongs_to, relation_enum = "Whistle", from = "whistle_id", to = "id")]
    pub whistle: BelongsTo<Option<crate::whistles::whistle::Entity>>,
    #[sea_orm(belongs_to, relation_enum = "Response", from = "response_id", to = "id")]
    pub response: BelongsTo<Option<crate::whistles::whistle_response::Entity>>,
    #[sea_orm(belongs_to, relation_enum = "WhistleBreach", from = "whistle_breach_id", to = "id")]
    pub whistle_breach: BelongsTo<Option<crate::whistles::whistle_breach::Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}
