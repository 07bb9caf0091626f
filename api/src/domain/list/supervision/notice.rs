//! A numbered notice (督办单) as it is issued, about a problem or a call: to whom, of which level, and by when it is to be answered.

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use concord_entities::{
    alliance,
    id::{AllianceId, BreachId, OrganizationId, ProblemId, WhistleBreachId, WhistleId, WhistleResponseId},
    membership,
    supervision_notice::{self, Model},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait,
    SelectGetableTuple, Selector, sea_query::Expr,
};

use crate::domain::{
    Error, Fact, Result, Tx,
    list::{
        deadline_policy::{Level, Terms},
        sequence,
    },
    number_pattern::NumberPattern,
};

/// How notices are numbered.
const PATTERN: &str = "督〔{year}〕{seq:4}号";

/// What a notice is about, and the deadline that passed.
#[derive(Clone, Copy, Debug)]
pub(in crate::domain) enum About {
    Problem(ProblemId, Option<BreachId>),
    Call(WhistleId, WhistleResponseId, WhistleBreachId),
}

/// A notice that is about to be issued.
pub(in crate::domain) struct NewNotice {
    pub about: About,
    pub unit: OrganizationId,
    pub level: i32,
    pub name: String,
    pub colour: &'static str,
    pub demand: String,
    pub reply_by: NaiveDate,
    pub escalates_at: Option<DateTime<Utc>>,
}

impl NewNotice {
    /// The notice of a level, from 1, about a deadline that passed, where the alliance has that level.
    pub(in crate::domain) fn of_level(
        terms: &Terms,
        at: DateTime<Utc>,
        (about, due_at, unit): (About, DateTime<Utc>, OrganizationId),
        level: i32,
    ) -> Option<Self> {
        let place = usize::try_from(level).unwrap_or_default();
        let levels = &terms.policy.levels;
        let Level { name, colour, demand, after_days, .. } = levels.get(place.checked_sub(1)?)?;
        // However late a notice comes, there is as long to answer it as between its level and the next.
        let next = |next: &Level| {
            let days = TimeDelta::days(i64::from(next.after_days));
            let between = days - TimeDelta::days(i64::from(*after_days));
            std::cmp::max(due_at + days, at + between)
        };
        Some(Self {
            about,
            unit,
            level,
            name: name.clone(),
            colour: colour.text(),
            demand: demand.clone(),
            reply_by: terms.reply_by(at),
            escalates_at: levels.get(place).map(next),
        })
    }

    /// To whoever can answer it: the unit while it is an active member, otherwise the committee's own unit; nothing where there is
    /// neither.
    pub(in crate::domain) async fn addressed(self, tx: &Tx<'_>, from: AllianceId) -> Result<Option<Self>> {
        let (is_seated, committee) = addressee(self.unit, from).one(&tx.db).await?.unwrap_or_default();
        let unit = if is_seated > 0 { Some(self.unit) } else { committee };
        Ok(unit.map(|unit| Self { unit, ..self }))
    }

    /// Writes it under the next number of its alliance. Whoever issues it tells of it.
    pub(in crate::domain) async fn write(
        self,
        tx: &Tx<'_>,
        from: AllianceId,
        terms: &Terms,
    ) -> Result<Model> {
        let now = tx.ctx.now();
        let year = terms.place.day(now).year();
        let seq = sequence::take(tx, sequence::NOTICES, from, year, 1).await?;
        let pattern = NumberPattern::parse(PATTERN).map_err(Error::internal)?;
        let (problem, breach, call) = match self.about {
            About::Problem(problem, breach) => (Some(problem), breach, None),
            About::Call(whistle, response, breach) => (None, None, Some((whistle, response, breach))),
        };
        let notice = supervision_notice::ActiveModel {
            id: Set(tx.ctx.new_id()),
            alliance_id: Set(from),
            year: Set(year),
            seq: Set(seq),
            number: Set(pattern.render(year, u32::try_from(seq).unwrap_or_default())),
            problem_id: Set(problem),
            organization_id: Set(self.unit),
            breach_id: Set(breach),
            level: Set(self.level),
            name: Set(self.name),
            colour: Set(self.colour.to_owned()),
            demand: Set(self.demand),
            reply_by: Set(self.reply_by),
            issued_at: Set(now),
            issued_by: Set(tx.ctx.author()),
            escalates_at: Set(self.escalates_at),
            answer: Set(None),
            answered_at: Set(None),
            answered_by: Set(None),
            version: Set(1),
            whistle_id: Set(call.map(|(whistle, ..)| whistle)),
            response_id: Set(call.map(|(_, response, _)| response)),
            whistle_breach_id: Set(call.map(|(.., breach)| breach)),
            unanswered_at: Set(None),
        };
        Ok(notice.insert(&tx.db).await?)
    }
}

/// What is told of a notice, beside what it is about.
pub(in crate::domain) fn about_notice(fact: Fact, notice: &Model) -> Fact {
    let fact = fact
        .organizations([notice.organization_id])
        .detail("noticeId", notice.id.to_string())
        .detail("noticeNumber", notice.number.clone())
        .detail("organizationId", notice.organization_id.to_string());
    if notice.answered_at.is_some() {
        return fact;
    }
    fact.detail("level", notice.level).detail("replyBy", notice.reply_by.to_string())
}

/// Whether a unit is an active member of an alliance, and the unit of the alliance's committee.
fn addressee(
    unit: OrganizationId,
    of: AllianceId,
) -> Selector<SelectGetableTuple<(i32, Option<OrganizationId>)>> {
    let seated = membership::Entity::find()
        .select_only()
        .column(membership::Column::Id)
        .filter(membership::Column::AllianceId.eq(of))
        .filter(membership::Column::OrganizationId.eq(unit))
        .filter(membership::Column::State.eq(membership::State::Active))
        .into_query();
    alliance::Entity::find_by_id(of)
        .select_only()
        .expr(Expr::case(Expr::exists(seated), 1).finally(0))
        .column(alliance::Column::CommitteeOrganizationId)
        .into_tuple()
}
