//! The duties of the months: teams check in, dock with the committee, the communities and the stations, and hand over to the
//! next. One swap is proposed, agreed and approved on the way.

use chrono::{DateTime, TimeDelta, Utc};
use concord_entities::{
    docking::Counterpart,
    handover_item::State,
    id::{HandoverId, HandoverItemId, OrganizationId, RegionId, RotationSwapId},
};

use super::{
    days::{MONTHS_BEHIND, local},
    opening::SWAPPED,
    story::{Agenda, Cue as On, Story, missing},
    units::TEAMS,
};
use crate::domain::{
    Ctx, Result, bulk, page,
    rotation::{
        check_in::{self, NewCheckIn},
        docking::{self, NewDocking},
        handover, handover_item,
        handover_item::Reply,
        swap::{self, NewSwap},
    },
};

/// A step of a month's duty; the number is the turn's.
#[derive(Clone, Copy, Debug)]
pub enum Cue {
    CheckIn(u32),
    DockCommittee(u32),
    /// The community's place in the register.
    DockCommunity(u32, usize),
    /// The station's place on the roster.
    DockStation(u32, usize),
    OfferHandover(u32),
    AcknowledgeHandover(u32),
    ProposeSwap,
    AgreeSwap,
    ApproveSwap,
}

/// How many stations a team docks with.
const STATIONS: usize = 2;

pub fn agenda(story: &Story<'_>, agenda: &mut Agenda) {
    let days = &story.days;
    let mut add = |at: DateTime<Utc>, cue: Cue| agenda.push((at, On::Duty(cue)));
    for number in 1..=u32::try_from(TEAMS).unwrap_or_default() {
        let month = days.month(number);
        let (first, second) = (days.working_day(month, 1), days.working_day(month, 2));
        add(local(first, 9, 30), Cue::CheckIn(number));
        add(local(first, 15, 0), Cue::DockCommittee(number));
        for index in 0..story.cast.communities.len() {
            let minutes = TimeDelta::minutes(90) * i32::try_from(index).unwrap_or_default();
            add(local(second, 9, 30) + minutes, Cue::DockCommunity(number, index));
        }
        for index in 0..STATIONS.min(story.cast.station_units.len()) {
            let hour = 10 + u32::try_from(index).unwrap_or_default();
            add(local(days.working_day(month, 3), hour, 0), Cue::DockStation(number, index));
        }
        let next = days.month(number + 1);
        add(local(days.working_day_before(next), 15, 30), Cue::OfferHandover(number));
        add(local(days.working_day(next, 1), 16, 30), Cue::AcknowledgeHandover(number));
    }
    let asked = days.month(SWAPPED.0 - 1) + TimeDelta::days(13);
    add(local(asked, 10, 20), Cue::ProposeSwap);
    add(local(asked + TimeDelta::days(1), 9, 40), Cue::AgreeSwap);
    add(local(asked + TimeDelta::days(2), 16, 10), Cue::ApproveSwap);
}

/// What the team of a turn needs to act: the turn and its lead unit's hand.
struct OnDuty {
    slot: super::story::Turn,
    hand: Ctx,
}

fn on_duty(story: &Story<'_>, number: u32) -> Result<OnDuty> {
    let slot = *story.cast.slots.get(&number).ok_or_else(|| missing("a turn"))?;
    let lead = *story.cast.leads.get(slot.team).ok_or_else(|| missing("a lead"))?;
    Ok(OnDuty { slot, hand: story.staff(lead)? })
}

pub async fn play(story: &mut Story<'_>, cue: Cue) -> Result<()> {
    let now = story.stage.now();
    match cue {
        Cue::CheckIn(number) => {
            let duty = on_duty(story, number)?;
            let came = i32::try_from(8 + (number * 5) % 7).unwrap_or(8);
            let new = NewCheckIn {
                slot_id: duty.slot.id,
                came_at: now - TimeDelta::minutes(20),
                place: "西海镇党群服务中心一楼大厅".to_owned(),
                head_count: came,
                attendees: Some(format!("服务队队长、联络员及成员单位党员共{came}人")),
            };
            check_in::record(&duty.hand, new).await?;
        }
        Cue::DockCommittee(number) => {
            let duty = on_duty(story, number)?;
            let new = meeting(
                &duty,
                Counterpart::Committee,
                (None, None),
                now,
                "西海镇政府二楼会议室",
                "对接会通报当月重点任务清单和问题销号清单，逐项明确责任单位、完成时限和联系人，双方确认两张清单。",
            );
            docking::record(
                &story.of("committee")?,
                NewDocking { confirms_tasks: true, confirms_problems: true, ..new },
            )
            .await?;
        }
        Cue::DockCommunity(number, index) => {
            let duty = on_duty(story, number)?;
            let unit = story.cast.community_units.get(index).copied();
            let new = meeting(
                &duty,
                Counterpart::Community,
                (Some(story.community(index)?), unit),
                now,
                "社区党群服务站",
                "与社区党支部对接：走访困难群众名单、环境卫生点位和网格上报事项。",
            );
            // The officer of the first community writes its meetings down; the team does at the others.
            let hand = if index == 0 { story.of("officer")? } else { duty.hand };
            docking::record(&hand, new).await?;
        }
        Cue::DockStation(number, index) => {
            let duty = on_duty(story, number)?;
            let station = story.cast.station_units.get(index).copied().ok_or_else(|| missing("a station"))?;
            let new = meeting(
                &duty,
                Counterpart::StationBranch,
                (None, Some(station)),
                now,
                "站所党支部活动室",
                "与站所党支部对接：平安巡查排班、法治宣传和矛盾纠纷排查分工。",
            );
            docking::record(&duty.hand, new).await?;
        }
        Cue::OfferHandover(number) => {
            let duty = on_duty(story, number)?;
            let note = "本月任务进展与未销号问题已列入清单，重点跟进冬季供暖和背街小巷照明两项。";
            let offered = handover::offer(&duty.hand, duty.slot.id, Some(note)).await?;
            story.cast.handovers.insert(number, offered.id);
        }
        Cue::AcknowledgeHandover(number) => {
            let Some(id) = story.cast.handovers.get(&number).copied() else { return Ok(()) };
            let incoming = on_duty(story, number + 1)?;
            answer_items(&incoming.hand, id).await?;
            handover::acknowledge(&incoming.hand, id).await?;
            // The latest that nobody accepted still lies with the committee when the story ends.
            if number < MONTHS_BEHIND {
                let lead = *story.cast.leads.get(incoming.slot.team).ok_or_else(|| missing("a lead"))?;
                settle_items(&story.of("committee")?, id, lead).await?;
            }
        }
        Cue::ProposeSwap => {
            let (first, second) = (on_duty(story, SWAPPED.0)?, on_duty(story, SWAPPED.1)?);
            let new = NewSwap {
                first_slot_id: first.slot.id,
                second_slot_id: second.slot.id,
                reason: "当月与全州专项督导时间冲突，商请与下一轮服务队调换。".to_owned(),
            };
            story.cast.swap = Some(swap::propose(&first.hand, new).await?.id);
        }
        Cue::AgreeSwap => {
            let second = on_duty(story, SWAPPED.1)?;
            swap::agree(&second.hand, swapped(story)?, None, None).await?;
        }
        Cue::ApproveSwap => {
            swap::approve(&story.of("committee")?, swapped(story)?, None).await?;
            let (first, second) = (on_duty(story, SWAPPED.0)?.slot, on_duty(story, SWAPPED.1)?.slot);
            for (number, slot, team) in [(SWAPPED.0, first, second.team), (SWAPPED.1, second, first.team)] {
                story.cast.slots.insert(number, super::story::Turn { team, ..slot });
            }
        }
    }
    Ok(())
}

/// The incoming team takes over what is open, all but one matter that is none of its units'.
async fn answer_items(hand: &Ctx, handover_id: HandoverId) -> Result<()> {
    let mut is_first = true;
    loop {
        let page = items(hand, handover_id, State::Pending).await?;
        if page.is_empty() {
            return Ok(());
        }
        let reply = |(index, item_id)| {
            let declines = is_first && index == 0;
            let reason =
                declines.then(|| "该事项需专业资质，本队成员单位均不具备，请镇党委另行指定。".to_owned());
            Reply { item_id, accept: !declines, reason }
        };
        let replies = page.into_iter().enumerate().map(reply).collect();
        handover_item::answer(hand, handover_id, replies).await?;
        is_first = false;
    }
}

/// The committee gives what nobody accepted to a unit, all of it in one go as `handOverItems` does.
async fn settle_items(committee: &Ctx, handover_id: HandoverId, unit: OrganizationId) -> Result<()> {
    let all = items(committee, handover_id, State::ToCommittee).await?;
    if all.is_empty() {
        return Ok(());
    }
    bulk::begin(committee, all.len()).await?;
    for (index, item) in all.into_iter().enumerate() {
        let note = "经镇党委研究，由牵头单位协调专业力量办理。";
        handover_item::assign(&bulk::item(committee, index)?, item, None, unit, Some(note)).await?;
    }
    Ok(())
}

/// The first open items of a handover in a state.
async fn items(hand: &Ctx, handover_id: HandoverId, state: State) -> Result<Vec<HandoverItemId>> {
    let filter = handover_item::Filter {
        handover_id: Some(handover_id),
        states: Some(vec![state]),
        open: Some(true),
        ..handover_item::Filter::default()
    };
    let args = page::Args { first: Some(100), ..page::Args::default() };
    let page = handover_item::list(hand, filter, &args).await?;
    Ok(page.items.into_iter().map(|(_, item)| item.id).collect())
}

fn swapped(story: &Story<'_>) -> Result<RotationSwapId> {
    story.cast.swap.ok_or_else(|| missing("a swap"))
}

fn meeting(
    duty: &OnDuty,
    counterpart: Counterpart,
    (region_id, organization_id): (Option<RegionId>, Option<OrganizationId>),
    now: DateTime<Utc>,
    place: &str,
    minutes: &str,
) -> NewDocking {
    NewDocking {
        slot_id: duty.slot.id,
        counterpart,
        region_id,
        organization_id,
        held_at: now - TimeDelta::minutes(10),
        place: Some(place.to_owned()),
        minutes: Some(minutes.to_owned()),
        confirms_tasks: false,
        confirms_problems: false,
    }
}
