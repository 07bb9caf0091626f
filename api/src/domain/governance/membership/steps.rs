//! What becomes of an application, an invitation or a seat: one verb per row of the table of states.

use super::*;
use crate::domain::identity::{authority::administers, seat::keep_a_committee};

/// How many of the whistles are named to which a leaving member is still called.
const TOLD: u64 = 5;

/// Takes up an invitation; only the organisation itself does, or the platform on its behalf.
pub async fn accept(ctx: &Ctx, id: MembershipId, expected: Option<i64>) -> Result<membership::Model> {
    let (tx, row) = open(ctx, id, expected, &states::ACCEPT).await?;
    let row = turn(&tx, row, &states::ACCEPT, None).await?;
    finish(tx, row, Event::MembershipAdmitted, None).await
}

/// Declines an invitation, or takes it back.
pub async fn decline_invitation(
    ctx: &Ctx,
    id: MembershipId,
    expected: Option<i64>,
    reason: Option<&str>,
) -> Result<membership::Model> {
    let (tx, row) = open(ctx, id, expected, &states::DECLINE_INVITATION).await?;
    let reason = text::optional(reason, "reason", 1000)?;
    let row = turn(&tx, row, &states::DECLINE_INVITATION, reason.clone()).await?;
    finish(tx, row, Event::MembershipDeclined, reason.as_deref()).await
}

/// Admits an applicant, or an invited organisation for which nobody else can speak.
pub async fn admit_member(ctx: &Ctx, id: MembershipId, expected: Option<i64>) -> Result<membership::Model> {
    let (tx, row) = open(ctx, id, expected, &states::ADMIT).await?;
    if row.state == State::Invited && !may_seat_invited(&tx.db, &row).await? {
        return Err(Error::refused(Code::UnitAnswersItself));
    }
    let row = turn(&tx, row, &states::ADMIT, None).await?;
    finish(tx, row, Event::MembershipAdmitted, None).await
}

/// Declines an application.
pub async fn decline_application(
    ctx: &Ctx,
    id: MembershipId,
    expected: Option<i64>,
    reason: &str,
) -> Result<membership::Model> {
    let (tx, row) = open(ctx, id, expected, &states::DECLINE_APPLICATION).await?;
    let reason = text::required(reason, "reason", 1000)?;
    let row = turn(&tx, row, &states::DECLINE_APPLICATION, Some(reason.clone())).await?;
    finish(tx, row, Event::MembershipDeclined, Some(&reason)).await
}

/// Suspends a member, and with it the roles of its people in this alliance.
pub async fn suspend(
    ctx: &Ctx,
    id: MembershipId,
    expected: Option<i64>,
    reason: &str,
) -> Result<membership::Model> {
    let (tx, row) = open(ctx, id, expected, &states::SUSPEND).await?;
    let reason = text::required(reason, "reason", 1000)?;
    refuse_committee(&tx, &row).await?;
    let row = turn(&tx, row, &states::SUSPEND, Some(reason.clone())).await?;
    move_seats(&tx, &row, &[seat::State::Active], seat::State::Suspended).await?;
    keep_a_committee(&tx, row.alliance_id).await?;
    finish(tx, row, Event::MembershipSuspended, Some(&reason)).await
}

/// Restores a suspended member and the roles of its people.
pub async fn restore(ctx: &Ctx, id: MembershipId, expected: Option<i64>) -> Result<membership::Model> {
    let (tx, row) = open(ctx, id, expected, &states::RESTORE).await?;
    let row = turn(&tx, row, &states::RESTORE, None).await?;
    move_seats(&tx, &row, &[seat::State::Suspended], seat::State::Active).await?;
    finish(tx, row, Event::MembershipRestored, None).await
}

/// Ends a membership: the roles of its people and their reports to home communities end and it leaves the standing teams; its history
/// stays. Whatever else it stands in has to be ended first.
pub async fn end(
    ctx: &Ctx,
    id: MembershipId,
    expected: Option<i64>,
    reason: &str,
) -> Result<membership::Model> {
    let (tx, row) = open(ctx, id, expected, &states::END).await?;
    let reason = text::required(reason, "reason", 1000)?;
    refuse_committee(&tx, &row).await?;
    refuse_called(&tx, &row).await?;
    refuse_on_duty(&tx, &row).await?;
    leave_teams(&tx, &row).await?;
    let reports = end_home_reports(&tx, &row).await?;
    let row = turn(&tx, row, &states::END, Some(reason.clone())).await?;
    move_seats(&tx, &row, &[seat::State::Active, seat::State::Suspended], seat::State::Ended).await?;
    keep_a_committee(&tx, row.alliance_id).await?;
    let told = fact(Event::MembershipEnded, &row).reason(Some(&reason)).detail("homeReports", reports);
    tx.record(told).await?;
    tx.commit(row.id).await?;
    Ok(row)
}

/// Opens a unit of work for a step: the seat is found and locked, the right, the state and the version are checked.
async fn open<'ctx>(
    ctx: &'ctx Ctx,
    id: MembershipId,
    expected: Option<i64>,
    step: &Step<State>,
) -> Result<(Tx<'ctx>, membership::Model)> {
    let tx = ctx.begin().await?;
    if matches!(step.to, State::Suspended | State::Ended) {
        // What a unit stands in comes and goes under the lock of the alliance, whose committee is looked at too.
        let of = visible(ctx).select_only().column(membership::Column::AllianceId);
        let of = of.filter(membership::Column::Id.eq(id)).into_query();
        alliance::Entity::find().filter(alliance::Column::Id.in_subquery(of)).lock(HELD).one(&tx.db).await?;
    }
    let row = lock(&tx, id).await?;
    let own = [row.organization_id];
    let allowed = ctx.require(&tx.db, step.action, Target::alliance(row.alliance_id).of(&own)).await;
    if let Err(refusal) = allowed {
        // An invited organisation has no people in this alliance yet.
        let answers = match ctx.actor {
            Actor::Account { id, .. } if states::answers(step.action) => {
                !speaking_seats(&tx.db, id, &own).await?.is_empty() || administers(ctx, &tx.db).await?
            }
            _ => false,
        };
        if !answers {
            return Err(refusal);
        }
    }
    step.check(row.state)?;
    if let Some(expected) = expected {
        expect_version(expected, row.version)?;
    }
    Ok((tx, row))
}

async fn turn(
    tx: &Tx<'_>,
    row: membership::Model,
    step: &Step<State>,
    reason: Option<String>,
) -> Result<membership::Model> {
    let (version, admitted) = (row.version + 1, row.admitted_at.is_some());
    let mut row = row.into_active_model();
    row.state = Set(step.to);
    row.reason = Set(reason);
    if step.to == State::Active {
        row.is_unit_known = Set(true);
    }
    match step.to {
        State::Active if !admitted => row.admitted_at = Set(Some(tx.ctx.now())),
        State::Ended | State::Declined => row.ended_at = Set(Some(tx.ctx.now())),
        _ => {}
    }
    row.version = Set(version);
    Ok(row.update(&tx.db).await?)
}

async fn refuse_committee(tx: &Tx<'_>, row: &membership::Model) -> Result<()> {
    let alliance = alliance::Entity::find_by_id(row.alliance_id).one(&tx.db).await?;
    if alliance.and_then(|alliance| alliance.committee_organization_id) == Some(row.organization_id) {
        return Err(Error::refused(Code::CommitteeKept));
    }
    Ok(())
}

/// Nobody leaves while called to a whistle: nobody could answer it any more. Whoever calls holds the membership meanwhile.
async fn refuse_called(tx: &Tx<'_>, row: &membership::Model) -> Result<()> {
    let calls = whistle_response::Entity::find()
        .select_only()
        .column(whistle_response::Column::WhistleId)
        .filter(whistle_response::Column::MemberAllianceId.eq(row.alliance_id))
        .filter(whistle_response::Column::OrganizationId.eq(row.organization_id))
        .filter(whistle_response::Column::IsOpen.eq(true))
        .into_query();
    let numbers: Vec<String> = whistle::Entity::find()
        .select_only()
        .column(whistle::Column::Number)
        .filter(whistle::Column::Id.in_subquery(calls))
        .order_by_asc(whistle::Column::AppliedAt)
        .limit(TOLD)
        .into_tuple()
        .all(&tx.db)
        .await?;
    if numbers.is_empty() {
        return Ok(());
    }
    Err(Error::refused(Code::StandsInCalls).with("whistles", numbers.join(", ")))
}

/// Nobody leaves while they stand in duties, which would stand on without anybody in them. What has an end already ends by itself.
async fn refuse_on_duty(tx: &Tx<'_>, row: &membership::Model) -> Result<()> {
    let pairings = {
        use pairing::{Column, Entity};
        standing::<Entity>(tx, row, [Column::AllianceId, Column::OrganizationId, Column::UntilOn]).await?
    };
    let posts = {
        use grid_officer::{Column, Entity};
        standing::<Entity>(tx, row, [Column::AllianceId, Column::OrganizationId, Column::UntilOn]).await?
    };
    let hosts = {
        use branch_host::{Column, Entity};
        standing::<Entity>(tx, row, [Column::AllianceId, Column::OrganizationId, Column::UntilOn]).await?
    };
    let instructors = {
        use branch_instructor::{Column, Entity};
        standing::<Entity>(tx, row, [Column::AllianceId, Column::OrganizationId, Column::UntilOn]).await?
            + standing::<Entity>(tx, row, [Column::AllianceId, Column::ServedOrganizationId, Column::UntilOn])
                .await?
    };
    let orders = mobilization_unit::Entity::find()
        .inner_join(mobilization::Entity)
        .filter(mobilization::Column::State.eq(mobilization::State::Issued))
        .filter(mobilization_unit::Column::AllianceId.eq(row.alliance_id))
        .filter(mobilization_unit::Column::OrganizationId.eq(row.organization_id))
        .filter(mobilization_unit::Column::State.ne(mobilization_unit::State::Released))
        .count(&tx.db)
        .await?;
    if pairings + posts + hosts + instructors + orders == 0 {
        return Ok(());
    }
    Err(Error::refused(Code::StandsInDuties)
        .with("pairings", pairings)
        .with("posts", posts)
        .with("hosts", hosts)
        .with("instructors", instructors)
        .with("orders", orders))
}

/// How much of a kind stands for a unit without an end; its columns are the alliance, the unit and the end.
async fn standing<E: EntityTrait<Model: Sync>>(
    tx: &Tx<'_>,
    row: &membership::Model,
    [alliance, unit, until]: [E::Column; 3],
) -> Result<u64> {
    let standing = E::find()
        .filter(alliance.eq(row.alliance_id))
        .filter(unit.eq(row.organization_id))
        .filter(until.is_null());
    Ok(standing.count(&tx.db).await?)
}

/// Ends what members of a leaving unit reported to their home communities: who they are nobody knows, so nobody else could.
async fn end_home_reports(tx: &Tx<'_>, row: &membership::Model) -> Result<u64> {
    use home_report::{Column, Entity};
    let ended = Entity::update_many()
        .col_expr(Column::EndedAt, Expr::value(tx.ctx.now()))
        .col_expr(Column::EndedBy, Expr::value(tx.ctx.author()))
        .filter(Column::AllianceId.eq(row.alliance_id))
        .filter(Column::OrganizationId.eq(row.organization_id))
        .filter(Column::EndedAt.is_null())
        .exec(&tx.db)
        .await?;
    Ok(ended.rows_affected)
}

async fn move_seats(
    tx: &Tx<'_>,
    row: &membership::Model,
    from: &[seat::State],
    to: seat::State,
) -> Result<()> {
    let mut update = seat::Entity::update_many()
        .col_expr(seat::Column::State, Expr::value(to))
        .col_expr(seat::Column::Version, Expr::col(seat::Column::Version).add(1));
    if to == seat::State::Ended {
        update = update.col_expr(seat::Column::EndedAt, Expr::value(tx.ctx.now()));
    }
    update
        .filter(seat::Column::AllianceId.eq(row.alliance_id))
        .filter(seat::Column::OrganizationId.eq(row.organization_id))
        .filter(seat::Column::State.is_in(from.iter().copied()))
        .exec(&tx.db)
        .await?;
    Ok(())
}

/// Takes a leaving member out of the standing teams; one that leads a team has to hand it over first.
async fn leave_teams(tx: &Tx<'_>, row: &membership::Model) -> Result<()> {
    let joined = service_team_member::Entity::find()
        .select_only()
        .column(service_team_member::Column::TeamId)
        .filter(service_team_member::Column::OrganizationId.eq(row.organization_id))
        .into_query();
    let teams = service_team::Entity::find()
        .filter(service_team::Column::AllianceId.eq(row.alliance_id))
        .filter(service_team::Column::EndedAt.is_null())
        .filter(service_team::Column::Id.in_subquery(joined))
        .lock_exclusive()
        .all(&tx.db)
        .await?;
    if let Some(led) = teams.iter().find(|team| team.lead_organization_id == row.organization_id) {
        return Err(Error::refused(Code::LeadsTeam).with("team", &led.name));
    }
    for team in teams {
        service_team_member::Entity::delete_by_id((team.id, row.organization_id)).exec(&tx.db).await?;
        let (id, version) = (team.id, team.version + 1);
        let mut team = team.into_active_model();
        team.version = Set(version);
        team.update(&tx.db).await?;
        tx.record(
            Fact::of(Event::ServiceTeamUpdated, id)
                .alliance(row.alliance_id)
                .organizations([row.organization_id])
                .detail("left", row.organization_id.to_string()),
        )
        .await?;
    }
    Ok(())
}
