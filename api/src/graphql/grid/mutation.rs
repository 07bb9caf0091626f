//! Faces of what is done with grids: one mutation for each verb.

use async_graphql::{Context, ID, InputObject, Object, Result};

use super::{
    GridNetwork, GridNetworkKind,
    cell::{GridCell, GridCellCategory},
    officer::{GridOfficer, GridOfficerRole},
};
use crate::{
    domain::grid::{
        cell::{self, NewCell, Which},
        network,
        officer::{self, NewOfficer},
    },
    graphql::{ctx, error::payload, id, scalar::Date},
};

/// A grid network to establish.
#[derive(InputObject)]
pub struct EstablishGridNetworkInput {
    /// The alliance over whose territory it lies.
    alliance_id: ID,
    /// Whose grid it is.
    kind: GridNetworkKind,
}

/// A grid cell to draw.
#[derive(InputObject)]
pub struct DrawGridCellInput {
    /// The network.
    network_id: ID,
    /// The cell directly above it, of the level above.
    parent_id: Option<ID>,
    /// Its code, at most 64 characters; unique among the standing cells of the network.
    code: String,
    /// Its name, at most 128 characters.
    name: String,
    /// Its level, 1 to 5; 1 is the highest.
    level: i32,
    /// Whether it is there for everything or for one place.
    #[graphql(default_with = "GridCellCategory::Comprehensive")]
    category: GridCellCategory,
    /// What it covers: 1 to 200 villages or communities, natural villages, compounds or buildings of the alliance's territory.
    region_ids: Vec<ID>,
    /// The first day on which it stands, past or up to 366 days ahead; today where absent.
    since: Option<Date>,
}

/// A grid cell to redraw.
#[derive(InputObject)]
pub struct RedrawGridCellInput {
    /// The cell.
    cell_id: ID,
    /// The version that the caller read; where given, a cell changed since is refused.
    expected_version: Option<i64>,
    /// All that it covers from then on: 1 to 200 regions.
    region_ids: Vec<ID>,
    /// From which day on; later than its last change, also on a past day, and up to 366 days ahead, today where absent. Entered late it
    /// changes what the days since then answer; it cannot be taken back.
    since: Option<Date>,
}

/// A grid cell to end.
#[derive(InputObject)]
pub struct EndGridCellInput {
    /// The cell.
    cell_id: ID,
    /// The version that the caller read; where given, a cell changed since is refused.
    expected_version: Option<i64>,
    /// The first day on which it stands no more, up to 366 days ahead; today where absent. It cannot be taken back.
    until: Option<Date>,
}

/// A person to assign to a grid cell.
#[derive(InputObject)]
pub struct AssignGridOfficerInput {
    /// The cell.
    cell_id: ID,
    /// The unit that the person is of; an active member of the alliance.
    organization_id: ID,
    /// In which role.
    role: GridOfficerRole,
    /// Name, at most 64 characters; shown in full only to whoever may read contacts.
    name: String,
    /// Phone, at most 32 characters; shown in full only to whoever may read contacts.
    phone: Option<String>,
    /// Whether it is the main one of the cell and role; there is one at a time.
    #[graphql(default = true)]
    is_main: bool,
    /// The first day; no earlier than the cell's own and up to 366 days ahead, today where absent.
    since: Option<Date>,
}

/// A post to end.
#[derive(InputObject)]
pub struct EndGridOfficerInput {
    /// The post.
    officer_id: ID,
    /// The version that the caller read; where given, a post changed since is refused.
    expected_version: Option<i64>,
    /// The first day on which the person holds it no more, up to 366 days ahead; where absent today, or never for a post to come.
    until: Option<Date>,
}

/// Whose name to erase, and why.
#[derive(InputObject)]
pub struct EraseGridOfficerInput {
    /// A post of the person that has ended.
    officer_id: ID,
    /// The version that the caller read; where given, a post changed since is refused.
    expected_version: Option<i64>,
    /// Why, at most 4,000 characters; it is kept, so it names nobody.
    reason: String,
}

payload!(
    /// What came of establishing a grid network.
    GridNetworkPayload {
        /// The network.
        network: GridNetwork
    }
);

payload!(
    /// What came of a change to a grid cell.
    GridCellPayload {
        /// The cell.
        cell: GridCell
    }
);

payload!(
    /// What came of a change to a post.
    GridOfficerPayload {
        /// The post.
        officer: GridOfficer
    }
);

#[derive(Default)]
pub struct GridMutation;

#[Object]
impl GridMutation {
    /// Establishes a grid network of a kind; an alliance has at most one of each. Only the committee may.
    async fn establish_grid_network(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Where, and of which kind.")] input: EstablishGridNetworkInput,
    ) -> Result<GridNetworkPayload> {
        let ctx = ctx(context);
        let result = async {
            let alliance = id::decode(&input.alliance_id, "allianceId")?;
            network::establish(ctx, alliance, input.kind.into()).await
        }
        .await;
        GridNetworkPayload::of(ctx, result).await
    }

    /// Draws a cell over places of the territory. A place that another comprehensive cell of the level covers from that day on answers
    /// `GRID_OVERLAP` and names that cell, a parent of another level `GRID_LEVEL_JUMP`, one that has ended `PARENT_ENDED`. Only
    /// the committee may.
    async fn draw_grid_cell(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The cell.")] input: DrawGridCellInput,
    ) -> Result<GridCellPayload> {
        let ctx = ctx(context);
        let result = async {
            let network = id::decode(&input.network_id, "networkId")?;
            let new = NewCell {
                parent_id: id::decode_optional(input.parent_id.as_ref(), "parentId")?,
                region_ids: id::decode_all(&input.region_ids, "regionIds")?,
                code: input.code,
                name: input.name,
                level: input.level,
                category: input.category.into(),
                since: input.since.map(|since| since.0),
            };
            cell::draw(ctx, network, new).await
        }
        .await;
        GridCellPayload::of(ctx, result).await
    }

    /// Gives a cell another territory from a day on; what it covered before stays on record. A day no later than its last change answers
    /// `TOO_EARLY`, a place that is taken `GRID_OVERLAP`, the territory that it has `ALREADY_EXISTS`. Only the committee may.
    async fn redraw_grid_cell(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which cell, and what it covers.")] input: RedrawGridCellInput,
    ) -> Result<GridCellPayload> {
        let ctx = ctx(context);
        let result = async {
            let id = id::decode(&input.cell_id, "cellId")?;
            let regions = id::decode_all(&input.region_ids, "regionIds")?;
            let which = Which { id, expected_version: input.expected_version };
            cell::redraw(ctx, which, &regions, input.since.map(|since| since.0)).await
        }
        .await;
        GridCellPayload::of(ctx, result).await
    }

    /// Ends a cell, and with it every post in it. While cells of the level below stand under it the answer is `OTHERS_STAND_BELOW`, while a
    /// Party organisation is at home in it or an instructor serves it `HOSTS_BRANCHES`. Only the committee may.
    async fn end_grid_cell(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which cell, and when.")] input: EndGridCellInput,
    ) -> Result<GridCellPayload> {
        let ctx = ctx(context);
        let result = async {
            let id = id::decode(&input.cell_id, "cellId")?;
            let which = Which { id, expected_version: input.expected_version };
            cell::end(ctx, which, input.until.map(|until| until.0)).await
        }
        .await;
        GridCellPayload::of(ctx, result).await
    }

    /// Assigns a person of a member unit to a cell in a role, from a day on. A cell has one main officer of a role at a time: another answers
    /// `MAIN_OFFICER_TAKEN` until that post has an end. The same person may hold several roles and cells. Only the committee may.
    async fn assign_grid_officer(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whom, to which cell, in which role.")] input: AssignGridOfficerInput,
    ) -> Result<GridOfficerPayload> {
        let ctx = ctx(context);
        let result = async {
            let cell = id::decode(&input.cell_id, "cellId")?;
            let new = NewOfficer {
                organization_id: id::decode(&input.organization_id, "organizationId")?,
                role: input.role.into(),
                name: input.name,
                phone: input.phone,
                is_main: input.is_main,
                since: input.since.map(|since| since.0),
            };
            officer::assign(ctx, cell, new).await
        }
        .await;
        GridOfficerPayload::of(ctx, result).await
    }

    /// Ends a post from a day on; it stays on record. Only the committee may.
    async fn end_grid_officer(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which post, and when.")] input: EndGridOfficerInput,
    ) -> Result<GridOfficerPayload> {
        let ctx = ctx(context);
        let result = async {
            let id = id::decode(&input.officer_id, "officerId")?;
            officer::end(ctx, id, input.expected_version, input.until.map(|until| until.0)).await
        }
        .await;
        GridOfficerPayload::of(ctx, result).await
    }

    /// Erases name and phone of whoever held a post that has ended, for good, and of the same person, told by name and phone, in the
    /// other posts of the alliance that have ended. The posts stay; one that stands is to be ended first. Only the committee may.
    async fn erase_grid_officer(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whose name, and why.")] input: EraseGridOfficerInput,
    ) -> Result<GridOfficerPayload> {
        let ctx = ctx(context);
        let result = async {
            let id = id::decode(&input.officer_id, "officerId")?;
            officer::erase(ctx, id, input.expected_version, &input.reason).await
        }
        .await;
        GridOfficerPayload::of(ctx, result).await
    }
}
