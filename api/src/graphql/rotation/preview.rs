//! Faces of what a rotation would be, and of how fair it is.

use async_graphql::{Context, Enum, ID, InputObject, Object, Result};
use concord_entities::id::ServiceTeamId;

use super::plan::{CadenceUnit, anchor};
use crate::{
    domain::{
        self,
        rotation::generate::{
            self as verbs, EmptyTurn, Obstacle, Preview, PreviewRequest, PreviewSlot, Report, TeamShare,
        },
    },
    graphql::{
        ctx,
        error::OrApiError,
        governance::service_team::ServiceTeam,
        id, loaders,
        scalar::{Date, DateTime, YearMonth},
    },
};

/// How a turn of a preview came to its team.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "crate::domain::rotation::generate::Source")]
pub enum RotationPreviewSource {
    /// It is past changing.
    Kept,
    /// The committee gave it by hand, or a swap did.
    Assigned,
    /// The generator chose it.
    Generated,
}

/// What keeps a turn empty.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "crate::domain::rotation::generate::Obstacle")]
pub enum RotationObstacleKind {
    /// The plan has no team.
    NoTeams,
    /// The turn is blocked for the team.
    Blocked,
    /// The turn is given by hand to the team, for which it is blocked.
    AssignedButBlocked,
    /// The turn is given by hand to the team, which is not in the plan.
    AssignedOutsidePlan,
}

/// One turn of a preview.
pub struct RotationPreviewSlot(PreviewSlot);

/// One turn of a preview.
#[Object]
impl RotationPreviewSlot {
    /// Number of the turn, 1 for the first.
    async fn number(&self) -> i32 {
        self.0.turn.number
    }

    /// First day.
    async fn starts_on(&self) -> Date {
        self.0.turn.starts_on.into()
    }

    /// First day after it.
    async fn ends_on(&self) -> Date {
        self.0.turn.ends_on.into()
    }

    /// The instant it begins, midnight in the alliance's time zone.
    async fn starts_at(&self) -> DateTime {
        self.0.turn.starts_at.into()
    }

    /// The instant it ends.
    async fn ends_at(&self) -> DateTime {
        self.0.turn.ends_at.into()
    }

    /// The team on duty.
    async fn team(&self, context: &Context<'_>) -> Result<Option<ServiceTeam>> {
        Ok(loaders::one(context, self.0.team_id).await?.map(ServiceTeam))
    }

    /// How it came to its team.
    async fn source(&self) -> RotationPreviewSource {
        self.0.source.into()
    }
}

/// One reason why a turn stays empty.
pub struct RotationObstacle {
    kind: Obstacle,
    team: Option<ServiceTeamId>,
}

/// One reason why a turn stays empty.
#[Object]
impl RotationObstacle {
    /// What it is.
    async fn kind(&self) -> RotationObstacleKind {
        self.kind.into()
    }

    /// The team that it concerns.
    async fn team(&self, context: &Context<'_>) -> Result<Option<ServiceTeam>> {
        match self.team {
            Some(team) => Ok(loaders::one(context, team).await?.map(ServiceTeam)),
            None => Ok(None),
        }
    }
}

/// A turn that no team can take.
pub struct RotationEmptyMonth(EmptyTurn);

/// A turn that no team can take.
#[Object]
impl RotationEmptyMonth {
    /// Number of the turn.
    async fn number(&self) -> i32 {
        self.0.turn.number
    }

    /// First day.
    async fn starts_on(&self) -> Date {
        self.0.turn.starts_on.into()
    }

    /// First day after it.
    async fn ends_on(&self) -> Date {
        self.0.turn.ends_on.into()
    }

    /// Everything that keeps it empty.
    async fn obstacles(&self) -> Vec<RotationObstacle> {
        self.0.why.iter().map(|(kind, team)| RotationObstacle { kind: *kind, team: *team }).collect()
    }
}

/// What a rotation is judged by, after having no empty turn.
pub struct RotationObjective(domain::rotation::fair::Objective);

/// What a rotation is judged by, after having no empty turn.
#[Object]
impl RotationObjective {
    /// How many turns have the team of the turn before.
    async fn back_to_back(&self) -> u32 {
        self.0.back_to_back
    }

    /// The difference between the most and the fewest turns per team.
    async fn spread(&self) -> u32 {
        self.0.spread
    }
}

/// What generating a rotation would come to; nothing is saved.
pub struct RotationPreview(Preview);

/// What generating a rotation would come to; nothing is saved.
#[Object]
impl RotationPreview {
    /// The turns; empty where no complete rotation exists.
    async fn slots(&self) -> Vec<RotationPreviewSlot> {
        self.0.slots.iter().copied().map(RotationPreviewSlot).collect()
    }

    /// What the rotation is judged by.
    async fn objective(&self) -> Option<RotationObjective> {
        self.0.objective.map(RotationObjective)
    }

    /// The turns that would stay empty, for which no rotation is made, and why.
    async fn empty_months(&self) -> Vec<RotationEmptyMonth> {
        self.0.empty.iter().cloned().map(RotationEmptyMonth).collect()
    }

    /// Whether the best rotation could not be found in time.
    async fn too_hard(&self) -> bool {
        self.0.too_hard
    }
}

/// How one team fares in a rotation.
pub struct TeamFairness(TeamShare);

/// How one team fares in a rotation.
#[Object]
impl TeamFairness {
    /// The team.
    async fn team(&self, context: &Context<'_>) -> Result<Option<ServiceTeam>> {
        Ok(loaders::one(context, self.0.team_id).await?.map(ServiceTeam))
    }

    /// How many turns it has.
    async fn months(&self) -> u32 {
        self.0.fairness.slots
    }

    /// The fewest turns off duty between two of its own; absent for a team with one turn or none.
    async fn shortest_gap(&self) -> Option<u32> {
        self.0.fairness.shortest_gap
    }

    /// The most turns off duty between two of its own; absent for a team with one turn or none.
    async fn longest_gap(&self) -> Option<u32> {
        self.0.fairness.longest_gap
    }
}

/// How fair a rotation is, and where it has gaps.
pub struct FairnessReport(pub Report);

/// How fair a rotation is, and where it has gaps.
#[Object]
impl FairnessReport {
    /// The teams in the order of the plan.
    async fn teams(&self) -> Vec<TeamFairness> {
        self.0.teams.iter().copied().map(TeamFairness).collect()
    }

    /// Numbers of the turns whose team was on duty right before.
    async fn back_to_back(&self) -> &[i32] {
        &self.0.back_to_back
    }

    /// The difference between the most and the fewest turns per team.
    async fn spread(&self) -> u32 {
        self.0.spread
    }

    /// Numbers of the turns that nobody takes.
    async fn empty_months(&self) -> &[i32] {
        &self.0.empty
    }

    /// Numbers of the turns to come whose team is blocked or no longer in the plan.
    async fn conflicting_months(&self) -> &[i32] {
        &self.0.conflicting
    }
}

/// A turn and a team.
#[derive(InputObject)]
pub struct TeamTurnInput {
    /// The team.
    team_id: ID,
    /// Number of the turn, 1 for the first.
    slot_number: i32,
}

/// A rotation that is only imagined. Give either `anchorOn` or `firstMonth`.
#[derive(InputObject)]
pub struct PreviewRotationInput {
    /// The alliance.
    alliance_id: ID,
    /// First day of the first turn.
    anchor_on: Option<Date>,
    /// Month that the first turn begins with, on its first day.
    first_month: Option<YearMonth>,
    /// Unit of a turn.
    #[graphql(default_with = "CadenceUnit::Month")]
    cadence_unit: CadenceUnit,
    /// Units per turn, 1 to 12.
    #[graphql(default = 1)]
    cadence_every: i32,
    /// How many turns, 1 to 60.
    slot_count: i32,
    /// The teams in the order of their turns, 1 to 60.
    team_ids: Vec<ID>,
    /// Turns that teams cannot take, at most 3,600.
    #[graphql(default)]
    blocks: Vec<TeamTurnInput>,
    /// Turns given by hand, at most 60.
    #[graphql(default)]
    assignments: Vec<TeamTurnInput>,
}

fn pairs(inputs: &[TeamTurnInput], field: &str) -> domain::Result<Vec<(ServiceTeamId, i32)>> {
    let read = |(index, input): (usize, &TeamTurnInput)| {
        Ok((id::decode(&input.team_id, format!("{field}.{index}.teamId"))?, input.slot_number))
    };
    inputs.iter().enumerate().map(read).collect()
}

impl PreviewRotationInput {
    fn read(self) -> domain::Result<PreviewRequest> {
        Ok(PreviewRequest {
            alliance_id: id::decode(&self.alliance_id, "allianceId")?,
            anchor_on: anchor(self.anchor_on, self.first_month)?,
            cadence_unit: self.cadence_unit.into(),
            cadence_every: self.cadence_every,
            slot_count: self.slot_count,
            team_ids: id::decode_all(&self.team_ids, "teamIds")?,
            blocks: pairs(&self.blocks, "blocks")?,
            assignments: pairs(&self.assignments, "assignments")?,
        })
    }
}

#[derive(Default)]
pub struct RotationPreviewQuery;

#[Object]
impl RotationPreviewQuery {
    /// Shows a rotation before a plan is even drafted; nothing is saved. Only the committee may.
    async fn preview_rotation(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is imagined.")] input: PreviewRotationInput,
    ) -> Result<RotationPreview> {
        let ctx = ctx(context);
        let result = async { verbs::preview(ctx, input.read()?).await }.await;
        Ok(RotationPreview(result.or_api_error(ctx)?))
    }

    /// Shows what generating a saved plan would come to; nothing is saved. Only the committee may.
    async fn rotation_preview(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Identifier of the plan.")] plan_id: ID,
    ) -> Result<RotationPreview> {
        let ctx = ctx(context);
        let id = id::decode(&plan_id, "planId").or_api_error(ctx)?;
        Ok(RotationPreview(verbs::preview_of(ctx, id).await.or_api_error(ctx)?))
    }
}
