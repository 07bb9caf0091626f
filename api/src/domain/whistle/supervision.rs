//! Supervision notices (督办单) about calls to whistles: the first when a deadline passes unmet, the next while the call goes on and
//! the matter is not done. The alliance that called the unit issues them, at the levels and under the numbers of its notices
//! about problems; there the unit answers.

use chrono::{DateTime, Utc};
use concord_entities::{
    id::{WhistleBreachId, WhistleId},
    supervision_notice::{self, Column as Notice, Model as NoticeRow},
    whistle::{self, Model},
    whistle_breach::{self, Clock},
    whistle_response::{self, Column, State},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect,
};
use uuid::Uuid;

use super::record;
use crate::domain::{
    Ctx, Error, Event, Result, Tx,
    list::supervision::{About, AllTerms, NewNotice, about_notice},
};

/// Most whistles looked at in one unit of work.
const BATCH: u64 = 50;
/// The level of the first notice about a deadline.
const FIRST: i32 = 1;

/// A deadline of a call that passed unmet.
#[derive(Clone, Copy)]
pub(super) struct Passed {
    pub breach: WhistleBreachId,
    pub due_at: DateTime<Utc>,
}

/// Issues the first notice about a deadline; whoever is called no more is asked for nothing.
pub(super) async fn begin(
    tx: &Tx<'_>,
    whistle: &Model,
    call: &whistle_response::Model,
    passed: Passed,
    terms: &mut AllTerms,
) -> Result<()> {
    if call.is_open { issue(tx, whistle, call, passed, terms, FIRST).await } else { Ok(()) }
}

/// Issues the notice of a level where the alliance that called has one.
async fn issue(
    tx: &Tx<'_>,
    whistle: &Model,
    call: &whistle_response::Model,
    passed: Passed,
    terms: &mut AllTerms,
    level: i32,
) -> Result<()> {
    let from = call.member_alliance_id;
    let terms = terms.of(tx, from).await?;
    let about = About::Call(whistle.id, call.id, passed.breach);
    let about = (about, passed.due_at, call.organization_id);
    let Some(new) = NewNotice::of_level(&terms, tx.ctx.now(), about, level) else { return Ok(()) };
    let Some(new) = new.addressed(tx, from).await? else { return Ok(()) };
    let notice = new.write(tx, from, &terms).await?;
    record(tx, Event::SupervisionNoticeIssued, whistle, Some(from), |fact| {
        about_notice(fact.detail("responseId", call.id.to_string()), &notice)
    })
    .await
}

/// The hand: issues the next level where a matter is still not done; tells how many notices were looked at.
pub(super) async fn escalate(ctx: &Ctx) -> Result<usize> {
    let now = ctx.now();
    let select = supervision_notice::Entity::find()
        .inner_join(whistle_response::Entity)
        .select_only()
        .column(Notice::WhistleId)
        .filter(Notice::EscalatesAt.lte(now))
        .filter(Column::State.ne(State::ClaimedResolved))
        .distinct()
        .limit(BATCH);
    let ids: Vec<WhistleId> = select.into_tuple().all(ctx.read()).await?;
    if ids.is_empty() {
        return Ok(0);
    }
    let tx = ctx.begin().await?;
    let whistles = whistle::Entity::find()
        .filter(whistle::Column::Id.is_in(ids))
        .order_by_asc(whistle::Column::Id)
        .lock_exclusive()
        .all(&tx.db)
        .await?;
    // Numbers are taken alliance by alliance, as everywhere.
    let notices = supervision_notice::Entity::find()
        .find_also_related(whistle_breach::Entity)
        .filter(Notice::WhistleId.is_in(whistles.iter().map(|row| row.id)))
        .filter(Notice::EscalatesAt.lte(now))
        .order_by_asc(Notice::AllianceId)
        .order_by_asc(Notice::Id)
        .all(&tx.db)
        .await?;
    let calls = whistle_response::Entity::find()
        .filter(Column::Id.is_in(notices.iter().filter_map(|(notice, _)| notice.response_id)))
        .all(&tx.db)
        .await?;
    let mut terms = AllTerms::default();
    let looked_at = notices.len();
    for (notice, breach) in notices {
        let whistle = whistles.iter().find(|row| Some(row.id) == notice.whistle_id);
        let call = calls.iter().find(|row| Some(row.id) == notice.response_id);
        let (Some(whistle), Some(call), Some(breach)) = (whistle, call, breach) else {
            return Err(Error::internal("a notice about a call that is not there"));
        };
        // What is claimed waits for the town.
        if call.state == State::ClaimedResolved {
            continue;
        }
        let level = notice.level + 1;
        let mut change = notice.into_active_model();
        change.escalates_at = Set(None);
        change.update(&tx.db).await?;
        let is_done = match breach.clock {
            Clock::ReportIn => call.reported_in_at.is_some(),
            Clock::Resolve => call.claimed_at.is_some(),
        };
        if call.is_open && !is_done {
            let passed = Passed { breach: breach.id, due_at: breach.due_at };
            issue(&tx, whistle, call, passed, &mut terms, level).await?;
        }
    }
    tx.commit(whistles.first().map_or_else(Uuid::nil, |row| row.id.into())).await?;
    Ok(looked_at)
}

/// Tells of what became of a notice, in the chain of the town too.
pub async fn tell(tx: &Tx<'_>, event: Event, of: WhistleId, notice: &NoticeRow) -> Result<()> {
    let whistle = whistle::Entity::find_by_id(of).one(&tx.db).await?.ok_or(Error::NotFound("whistle"))?;
    record(tx, event, &whistle, Some(notice.alliance_id), |fact| {
        let call = notice.response_id.map(|id| id.to_string());
        about_notice(fact.detail("responseId", call), notice)
    })
    .await
}
