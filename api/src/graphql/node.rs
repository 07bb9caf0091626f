//! `node` and `nodes`: every object by its global id, as the caller may see it.

use async_graphql::{Context, ID, Interface, Object, Result};
use concord_entities::id::{
    AllianceId, GridCellId, MembershipId, MobilizationId, PartyBranchId, PriorityTaskId, ProblemId,
    RotationPlanId, RotationSlotId, RotationSwapId, SeatId, ServiceTeamId, TaskListId, WhistleId,
};
use futures_util::future::try_join_all;
use uuid::Uuid;

use super::{
    ctx,
    error::OrApiError,
    governance::{
        alliance::Alliance, membership::Membership, organization::Organization, service_team::ServiceTeam,
    },
    id, loaders,
    territory::region::Region,
};
// identity
use super::identity::{account::Account, api_key::ApiKey, external_identity::ExternalIdentity, seat::Seat};
// rotation
use super::rotation::{
    duty::{CheckIn, Docking, Handover},
    feed::CalendarFeed,
    handover_item::HandoverItem,
    plan::RotationPlan,
    slot::RotationSlot,
    swap::RotationSwap,
};
// priority task
use super::list::{
    priority_task::PriorityTask,
    task_list::TaskList,
    task_parts::{TaskMilestone, TaskProgress},
};
// fact
use super::fact::{event::Event, inbox::InboxEntry};
// problem
use super::list::{
    evidence::Evidence,
    follow_up::FollowUp,
    problem::Problem,
    saved_filter::SavedFilter,
    supervision::{Extension, SupervisionNotice},
};
// whistle
use super::whistle::{Whistle, call::WhistleResponse};
// party branch
use super::branch::{PartyBranch, instructor::BranchInstructor};
// grid
use super::grid::{GridNetwork, cell::GridCell, officer::GridOfficer};
// mobilization
use super::mobilization::{
    Mobilization, check_in::MobilizationCheckIn, pairing::Pairing, shift::MobilizationShift,
    unit::MobilizationUnit,
};
use crate::domain::{self, Code, Ctx, Error};

/// An object with a global id.
pub trait Node: Sized {
    /// Its noun, as ids carry it.
    const NOUN: &'static str;

    /// The object, if the caller may see it.
    fn find(ctx: &Ctx, id: Uuid) -> impl Future<Output = domain::Result<Option<Self>>> + Send;
}

/// Anything with a global id.
#[derive(Interface)]
#[graphql(name = "Node", field(name = "id", ty = "ID", desc = "Global identifier, opaque and stable."))]
pub enum AnyNode {
    Alliance(Alliance),
    // identity
    Account(Account),
    Seat(Seat),
    ApiKey(ApiKey),
    ExternalIdentity(ExternalIdentity),
    // territory
    Region(Region),
    // governance
    Organization(Organization),
    Membership(Membership),
    ServiceTeam(ServiceTeam),
    // calendar
    // rotation
    RotationPlan(RotationPlan),
    RotationSlot(RotationSlot),
    CheckIn(CheckIn),
    Docking(Docking),
    Handover(Handover),
    HandoverItem(HandoverItem),
    RotationSwap(RotationSwap),
    CalendarFeed(CalendarFeed),
    // priority task
    TaskList(TaskList),
    PriorityTask(PriorityTask),
    TaskMilestone(TaskMilestone),
    TaskProgress(TaskProgress),
    // problem
    Problem(Problem),
    Evidence(Evidence),
    SupervisionNotice(SupervisionNotice),
    Extension(Extension),
    FollowUp(FollowUp),
    SavedFilter(SavedFilter),
    // whistle
    Whistle(Whistle),
    WhistleResponse(WhistleResponse),
    // grid
    GridNetwork(GridNetwork),
    GridCell(GridCell),
    GridOfficer(GridOfficer),
    // mobilization
    Mobilization(Mobilization),
    MobilizationUnit(MobilizationUnit),
    MobilizationCheckIn(MobilizationCheckIn),
    // party branch
    PartyBranch(PartyBranch),
    BranchInstructor(BranchInstructor),
    MobilizationShift(MobilizationShift),
    Pairing(Pairing),
    // file
    // fact
    Event(Event),
    InboxEntry(InboxEntry),
    // import
}

/// Finds any object: one arm per noun.
pub async fn find(ctx: &Ctx, noun: &str, raw: Uuid) -> domain::Result<Option<AnyNode>> {
    macro_rules! among {
        ($($type:ident),+ $(,)?) => {
            $(if noun == <$type as Node>::NOUN {
                return Ok(<$type as Node>::find(ctx, raw).await?.map(AnyNode::$type));
            })+
        };
    }
    among!(
        Alliance,
        // identity
        Account,
        Seat,
        ApiKey,
        ExternalIdentity,
        // territory
        Region,
        // governance
        Organization,
        Membership,
        ServiceTeam,
        // calendar
        // rotation
        RotationPlan,
        RotationSlot,
        CheckIn,
        Docking,
        Handover,
        HandoverItem,
        RotationSwap,
        CalendarFeed,
        // priority task
        TaskList,
        PriorityTask,
        TaskMilestone,
        TaskProgress,
        // problem
        Problem,
        Evidence,
        SupervisionNotice,
        Extension,
        FollowUp,
        SavedFilter,
        // whistle
        Whistle,
        WhistleResponse,
        // grid
        GridNetwork,
        GridCell,
        GridOfficer,
        // mobilization
        Mobilization,
        MobilizationUnit,
        MobilizationCheckIn,
        // party branch
        PartyBranch,
        BranchInstructor,
        MobilizationShift,
        Pairing,
        // file
        // fact
        Event,
        InboxEntry,
        // import
    );
    Ok(None)
}

/// Finds what many rows of a list point to: the nouns that events are mostly about are read in batches.
pub async fn subject(context: &Context<'_>, noun: &str, raw: Uuid) -> Result<Option<AnyNode>> {
    macro_rules! batched {
        ($($type:ident: $id:ident),+ $(,)?) => {
            $(if noun == <$type as Node>::NOUN {
                return Ok(loaders::one(context, $id(raw)).await?.map($type::from).map(AnyNode::$type));
            })+
        };
    }
    batched!(
        Problem: ProblemId,
        PriorityTask: PriorityTaskId,
        TaskList: TaskListId,
        Alliance: AllianceId,
        Seat: SeatId,
        Membership: MembershipId,
        ServiceTeam: ServiceTeamId,
        RotationPlan: RotationPlanId,
        RotationSlot: RotationSlotId,
        RotationSwap: RotationSwapId,
        Whistle: WhistleId,
        GridCell: GridCellId,
        Mobilization: MobilizationId,
        PartyBranch: PartyBranchId,
    );
    let ctx = ctx(context);
    find(ctx, noun, raw).await.or_api_error(ctx)
}

/// Most ids that `nodes` takes.
const MOST: usize = 100;

#[derive(Default)]
pub struct NodeQuery;

#[Object]
impl NodeQuery {
    /// The object with this global id; null where there is none or the caller may not see it.
    async fn node(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Global identifier.")] id: ID,
    ) -> Result<Option<AnyNode>> {
        let ctx = ctx(context);
        let Some((noun, raw)) = id::split(&id) else {
            return Err(super::error::api_error(ctx, &Error::invalid(Code::IdMalformed, "id")));
        };
        find(ctx, &noun, raw).await.or_api_error(ctx)
    }

    /// The objects with these global ids, at most 100, in the order asked; null for each that is not there or not to be seen.
    async fn nodes(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Global identifiers.")] ids: Vec<ID>,
    ) -> Result<Vec<Option<AnyNode>>> {
        let ctx = ctx(context);
        if ids.len() > MOST {
            let error = Error::invalid(Code::OutOfRange, "ids").with("least", 0).with("most", MOST);
            return Err(super::error::api_error(ctx, &error));
        }
        let mut wanted = Vec::with_capacity(ids.len());
        for id in &ids {
            let Some((noun, raw)) = id::split(id) else {
                return Err(super::error::api_error(ctx, &Error::invalid(Code::IdMalformed, "ids")));
            };
            wanted.push((noun, raw));
        }
        try_join_all(wanted.iter().map(|(noun, raw)| subject(context, noun, *raw))).await
    }
}
