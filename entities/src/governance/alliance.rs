//! Organisations that govern one region together.

use sea_orm::entity::prelude::*;

use crate::id::{AllianceId, OrganizationId, RegionId};

/// Organisations that govern one region together.
#[sea_orm::model]
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "alliance")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AllianceId,
    /// Full name.
    #[sea_orm(column_type = "String(StringLen::N(200))")]
    pub name: String,
    /// The territory.
    pub region_id: RegionId,
    /// The alliance above: town, county, prefecture.
    pub parent_id: Option<AllianceId>,
    /// The committee that runs it.
    pub committee_organization_id: Option<OrganizationId>,
    /// The body that approves rotation and evaluation.
    pub oversight_organization_id: Option<OrganizationId>,
    /// IANA name; decides where a month and a day begin.
    #[sea_orm(column_type = "String(StringLen::N(64))")]
    pub time_zone: String,
    /// Pattern of the closure numbers, such as 西海销〔{year}〕{seq:4}号.
    #[sea_orm(column_type = "String(StringLen::N(64))")]
    pub number_pattern: String,
    /// The working day of a slot by which the team must have checked in.
    pub check_in_working_day: i32,
    /// How many approvers sign a problem off before it is struck off.
    pub sign_offs: i32,
    /// For how many hours an assignment may be declined; 0 for as long as it is not accepted.
    pub objection_hours: i32,
    /// Whether reporters are asked once closure is asked for.
    pub follow_up_on_submission: bool,
    /// When it was founded.
    pub created_at: DateTimeUtc,
    /// Grows by one with every change.
    pub version: i64,
    #[sea_orm(belongs_to, relation_enum = "Region", from = "region_id", to = "id")]
    pub region: BelongsTo<crate::territory::region::Entity>,
    #[sea_orm(self_ref, relation_enum = "Parent", from = "parent_id", to = "id")]
    pub parent: BelongsTo<Option<Entity>>,
    #[sea_orm(
        belongs_to,
        relation_enum = "CommitteeOrganization",
        from = "committee_organization_id",
        to = "id"
    )]
    pub committee_organization: BelongsTo<Option<super::organization::Entity>>,
    #[sea_orm(
        belongs_to,
        relation_enum = "OversightOrganization",
        from = "oversight_organization_id",
        to = "id"
    )]
    pub oversight_organization: BelongsTo<Option<super::organization::Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}
