//! What becomes of the demand for an answer: the unit answers once, in time or late. That the day passed without an answer is on record
//! once, and stays there when one comes later.

use concord_entities::{
    alliance,
    id::SupervisionNoticeId,
    problem,
    supervision_notice::{self, Column, Entity, Model},
    whistle_response::{self, State as Called},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, ExprTrait, IntoActiveModel, JoinType,
    QueryFilter, QuerySelect, QueryTrait, RelationTrait,
};

use super::{BATCH, about_notice, visible};
use crate::domain::{
    Action, Code, Ctx, Error, Event, HELD, Result, Target, Tx,
    governance::alliance::expect_version,
    list::{
        due,
        problem::{self as problems, FREE_TEXT},
    },
    text, whistle,
};

/// Answers a notice for the unit it is addressed to, once.
pub async fn answer(
    ctx: &Ctx,
    id: SupervisionNoticeId,
    answer: &str,
    expected: Option<i64>,
) -> Result<Model> {
    // Read ahead of the unit of work: an alliance keeps its zone.
    let zone = zone(ctx, id).await?;
    let tx = ctx.begin().await?;
    let notice = visible(ctx)
        .filter(Column::Id.eq(id))
        .lock(HELD)
        .one(&tx.db)
        .await?
        .ok_or(Error::NotFound("supervision_notice"))?;
    let target = Target::alliance(notice.alliance_id).of(std::slice::from_ref(&notice.organization_id));
    ctx.require(&tx.db, Action::AnswerSupervisionNotice, target).await?;
    if let Some(expected) = expected {
        expect_version(expected, notice.version)?;
    }
    if notice.answered_at.is_some() {
        return Err(Error::refused(Code::StateRefused).with("state", "answered"));
    }
    let answer = text::required(answer, "answer", FREE_TEXT)?;
    let has_passed = notice.unanswered_at.is_none() && notice.reply_by < due::today(&zone, ctx.now());
    if has_passed {
        // What had passed by then is on record ahead of what comes late, whether or not the hand has come to it.
        tell(&tx, Event::SupervisionNoticeUnanswered, &notice).await?;
    }
    let version = notice.version + 1;
    let mut change = notice.into_active_model();
    if has_passed {
        change.unanswered_at = Set(Some(ctx.now()));
    }
    change.answer = Set(Some(answer));
    change.answered_at = Set(Some(ctx.now()));
    change.answered_by = Set(ctx.author());
    change.version = Set(version);
    let notice = change.update(&tx.db).await?;
    tell(&tx, Event::SupervisionNoticeAnswered, &notice).await?;
    tx.commit(notice.id).await?;
    Ok(notice)
}

/// The zone of the alliance that issued a notice.
async fn zone(ctx: &Ctx, id: SupervisionNoticeId) -> Result<String> {
    let zone = alliance::Entity::find()
        .select_only()
        .column(alliance::Column::TimeZone)
        .join_rev(JoinType::InnerJoin, supervision_notice::Relation::Alliance.def())
        .filter(Column::Id.eq(id));
    Ok(zone.into_tuple::<String>().one(ctx.read()).await?.unwrap_or_default())
}

/// The hand: puts on record which notices nobody answered by their day, about problems and calls alike; tells how many.
pub(super) async fn note_unanswered(ctx: &Ctx) -> Result<usize> {
    let zones = due::zones(ctx).await?;
    let has_passed = due::by_zone(ctx, &zones, Column::AllianceId, |today| Column::ReplyBy.lt(today));
    // Whoever is called no more, because another unit is or nobody needs to be, is asked for nothing.
    let waived = whistle_response::Entity::find()
        .select_only()
        .column(whistle_response::Column::Id)
        .filter(whistle_response::Column::State.is_in([Called::Excused, Called::Rerouted]))
        .into_query();
    let waiting = Entity::find()
        .filter(Column::AnsweredAt.is_null())
        .filter(Column::UnansweredAt.is_null())
        .filter(Column::ResponseId.is_null().or(Column::ResponseId.not_in_subquery(waived)))
        .filter(has_passed);
    let select = waiting.clone().select_only().column(Column::Id).limit(BATCH);
    let ids: Vec<SupervisionNoticeId> = select.into_tuple().all(ctx.read()).await?;
    let mut noted = 0;
    // Each in a unit of work of its own: whoever issues the next levels holds notices in the order of what they are about.
    for id in ids {
        let tx = ctx.begin().await?;
        let held = waiting.clone().filter(Column::Id.eq(id)).lock(HELD).one(&tx.db).await?;
        // It was answered meanwhile, or another node was faster.
        let Some(notice) = held else { continue };
        tell(&tx, Event::SupervisionNoticeUnanswered, &notice).await?;
        let version = notice.version + 1;
        let mut change = notice.into_active_model();
        change.unanswered_at = Set(Some(ctx.now()));
        change.version = Set(version);
        change.update(&tx.db).await?;
        tx.commit(id).await?;
        noted += 1;
    }
    Ok(noted)
}

/// Tells of a notice in the history of what it is about.
async fn tell(tx: &Tx<'_>, event: Event, notice: &Model) -> Result<()> {
    match (notice.problem_id, notice.whistle_id) {
        (Some(of), _) => {
            let row = problem::Entity::find_by_id(of).one(&tx.db).await?;
            let row = row.ok_or(Error::NotFound("problem"))?;
            tx.record(about_notice(problems::fact(event, &row), notice)).await.map(drop)
        }
        (None, Some(of)) => whistle::supervision::tell(tx, event, of, notice).await,
        (None, None) => Err(Error::internal("a notice about nothing")),
    }
}
