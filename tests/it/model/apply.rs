//! What an accepted command changes in memory, and the events that tell of it.

use std::collections::BTreeMap;

use concord_entities::{
    escalation, evidence::Stage, follow_up, problem::State, problem_responsible::PartState,
};

use super::{
    extension::{Clock, day},
    list::{Asked, At, DISSATISFIED, Ended, Events, Link, List, Part, Problem, Row},
    town::{COUNTY, Command, TOWN, Verb, is_open},
};

fn part(now: At) -> Part {
    Part {
        state: PartState::Assigned,
        handler: None,
        reason: None,
        declined: 0,
        evidence_at_return: 0,
        assigned_at: now,
        accepted_at: None,
        done_at: None,
    }
}

impl List {
    /// Registers under the next number.
    fn register(&mut self, list: usize, by: Option<usize>, known: bool) -> usize {
        self.last[list] += 1;
        let row = Row {
            list,
            seq: self.last[list],
            title: "路灯不亮".to_owned(),
            state: State::Registered,
            is_open: true,
            round: 1,
            recorded_by: by,
            version: 1,
            ..Row::default()
        };
        self.problems.push(Problem { row, known, ..Problem::default() });
        self.problems.len() - 1
    }

    /// Moves a problem on.
    fn to(&mut self, on: usize, state: State, now: At) -> &mut Row {
        if !is_open(state) {
            self.lapse(on, None, now);
        }
        let row = &mut self.problems[on].row;
        row.state = state;
        row.is_open = is_open(state);
        row.closed_at = (!row.is_open).then_some(now);
        row.rested_on = match state {
            State::OnAccount | State::Submitted => row.rested_on.or(Some(day(now))),
            State::Verified | State::StruckOff => row.rested_on,
            _ => None,
        };
        row.version += 1;
        row
    }

    /// Frees whoever was responsible.
    fn release(&mut self, on: usize, now: At) {
        self.lapse(on, None, now);
        let problem = &mut self.problems[on];
        let lead = problem.row.lead.filter(|_| problem.row.accepted_at.is_some());
        let parts = problem.parts.iter().filter(|(_, part)| part.accepted_at.is_some());
        let worked: Vec<usize> = lead.into_iter().chain(parts.map(|(unit, _)| *unit)).collect();
        problem.past.extend(worked.into_iter().map(|unit| (problem.row.round, unit)));
        problem.parts.clear();
        problem.clocks.clear();
        problem.row.lead = None;
        problem.row.handler = None;
        problem.row.assigned_at = None;
        problem.row.accepted_at = None;
        problem.row.due_on = None;
    }

    fn send_back(&mut self, on: usize, reason: String, now: At) {
        let shown = self.problems[on]
            .evidence
            .iter()
            .filter(|piece| piece.0 == self.problems[on].row.round && piece.2 == Stage::Closure)
            .count();
        for part in self.problems[on].parts.values_mut().filter(|part| part.state == PartState::Done) {
            part.state = PartState::InProgress;
        }
        let row = self.to(on, State::InProgress, now);
        row.reason = Some(reason);
        row.returned += 1;
        row.evidence_at_return = i32::try_from(shown).expect("a few");
        (row.verified, row.signed_off) = (None, None);
    }

    fn reopen(&mut self, on: usize, by: Option<usize>, reason: String, now: At) {
        let problem = &mut self.problems[on];
        let row = problem.row.clone();
        problem.rounds.push(Ended {
            round: row.round,
            lead: row.lead,
            joint: problem.parts.keys().copied().collect(),
            handler: row.handler,
            verified: row.verified,
            struck_off: row.struck_off,
            declined: row.declined,
            returned: row.returned,
            reopened_by: by,
        });
        self.release(on, now);
        self.problems[on].carried = None;
        let row = self.to(on, State::Triaged, now);
        row.round += 1;
        row.reason = Some(reason);
        (row.declined, row.returned, row.evidence_at_return) = (0, 0, 0);
        (row.proposed, row.submitted, row.verified) = (None, None, None);
        (row.struck_off, row.signed_off) = (None, None);
    }

    fn ask(&mut self, on: usize, reporter: usize) {
        self.asked.push(Asked {
            on,
            round: self.problems[on].row.round,
            reporter,
            state: follow_up::State::Due,
            tries: 0,
            tried_at: None,
            satisfied: None,
            done_by: None,
            version: 1,
        });
    }

    /// What tells that a problem ended without being solved, to those too who reported it under another number.
    fn ended(&self, on: usize, event: &'static str) -> Vec<(&'static str, Option<usize>)> {
        let merged =
            (0..self.problems.len()).filter(|place| self.problems[*place].row.merged_into == Some(on));
        let told = merged.map(|place| ("problem_survivor_ended", Some(place)));
        std::iter::once((event, Some(on))).chain(told).collect()
    }

    /// Ends an open escalation; below it comes back triaged.
    fn come_back(&mut self, link: usize, how: escalation::State, now: At) -> usize {
        self.links[link].state = how;
        let below = self.links[link].below;
        self.to(below, State::Triaged, now);
        below
    }

    /// Carries out what is not refused.
    pub fn apply(&mut self, command: &Command, reason: &str, now: At) -> Events {
        let Command { who, on, verb, .. } = command.clone();
        let reason = reason.to_owned();
        if let Verb::Register { list, known } = verb {
            let made = self.register(list, Some(who), known);
            return vec![("problem_registered", Some(made))];
        }
        if let Verb::Settle { sign_offs, objection_hours, asks } = verb {
            let settled = &mut self.settled[TOWN];
            (settled.sign_offs, settled.objection_hours, settled.asks) = (sign_offs, objection_hours, asks);
            settled.version += 1;
            return vec![("alliance_updated", None)];
        }
        let state = self.problems[on].row.state;
        let one = |kind| vec![(kind, Some(on))];
        match verb {
            Verb::Register { .. } | Verb::Settle { .. } => unreachable!("told above"),
            Verb::Triage { tier, .. } => {
                let moved = self.problems[on].row.tier != Some(tier);
                self.problems[on].tier_moves += usize::from(moved);
                self.to(on, State::Triaged, now).tier = Some(tier);
                one("problem_triaged")
            }
            Verb::MoveTier { tier } => {
                self.problems[on].tier_moves += 1;
                self.to(on, state, now).tier = Some(tier);
                one("problem_tier_moved")
            }
            Verb::Assign { lead, joint } => {
                let problem = &mut self.problems[on];
                let clock = Clock::begin(problem.carried.take(), now);
                problem.clocks = joint.iter().chain([&lead]).map(|unit| (*unit, clock)).collect();
                problem.parts = joint.into_iter().map(|unit| (unit, part(now))).collect();
                let row = self.to(on, State::Assigned, now);
                row.due_on = Some(clock.last_day());
                (row.lead, row.handler) = (Some(lead), None);
                (row.assigned_at, row.accepted_at) = (Some(now), None);
                one("problem_assigned")
            }
            Verb::Recall => {
                self.release(on, now);
                self.to(on, State::Triaged, now).reason = Some(reason);
                one("problem_recalled")
            }
            Verb::Accept => {
                self.problems[on].hands.insert(who);
                let row = self.to(on, State::Accepted, now);
                (row.handler, row.accepted_at) = (Some(who), Some(now));
                one("problem_accepted")
            }
            Verb::Decline { proposed } => {
                let problem = &mut self.problems[on];
                problem.carried = problem.row.lead.map(|lead| problem.clocks[&lead].due_at);
                self.release(on, now);
                let row = self.to(on, State::Triaged, now);
                (row.proposed, row.reason) = (proposed, Some(reason));
                row.declined += 1;
                one("problem_declined")
            }
            Verb::Start { handler } => {
                self.problems[on].hands.extend(handler);
                let row = self.to(on, State::InProgress, now);
                row.handler = handler.or(row.handler);
                one("problem_started")
            }
            Verb::Reassign { handler } => {
                self.problems[on].hands.insert(handler);
                self.to(on, state, now).handler = Some(handler);
                one("problem_reassigned")
            }
            Verb::Hold { unit } => {
                let row = self.to(on, State::OnAccount, now);
                row.held = Some((now, who, unit.or(row.lead)));
                one("problem_held")
            }
            Verb::Resume => {
                let problem = &mut self.problems[on];
                let (since, ..) = problem.row.held.expect("it was held");
                for clock in problem.clocks.values_mut() {
                    *clock = clock.resumed(since, now);
                }
                problem.row.due_on = problem.row.lead.map(|lead| problem.clocks[&lead].last_day());
                self.to(on, State::InProgress, now).held = None;
                one("problem_resumed")
            }
            Verb::Submit => {
                self.problems[on].hands.insert(who);
                self.to(on, State::Submitted, now).submitted = Some((now, who));
                let mut told = one("problem_submitted");
                if self.settled[self.problems[on].row.list].asks {
                    for reporter in self.to_ask(on) {
                        self.ask(on, reporter);
                        told.push(("follow_up_due", Some(on)));
                    }
                }
                told
            }
            Verb::Verify => {
                let unit = self.verifies_for(who, on);
                self.to(on, State::Verified, now).verified = Some((now, who, unit));
                one("problem_verified")
            }
            Verb::Return => {
                self.send_back(on, reason, now);
                one("problem_returned")
            }
            Verb::SignOff => {
                let row = self.to(on, State::Verified, now);
                row.signed_off = Some((now, who));
                let signature = (row.round, row.returned, who);
                self.problems[on].signed.insert(signature);
                one("problem_signed_off")
            }
            Verb::StrikeOff => {
                let row = self.to(on, State::StruckOff, now);
                row.struck_off = Some((now, who));
                let signature = (row.round, row.returned, who);
                self.problems[on].signed.insert(signature);
                let mut told = one("problem_struck_off");
                if let Some(link) = self.open_link(|link| link.above == on) {
                    let below = self.come_back(link, escalation::State::Resolved, now);
                    told.push(("problem_escalation_resolved", Some(below)));
                }
                told
            }
            Verb::Reject => {
                self.to(on, State::Rejected, now).reason = Some(reason);
                self.ended(on, "problem_rejected")
            }
            Verb::Withdraw => {
                self.to(on, State::Withdrawn, now).reason = Some(reason);
                self.ended(on, "problem_withdrawn")
            }
            Verb::Reopen => {
                self.reopen(on, Some(who), reason, now);
                one("problem_reopened")
            }
            Verb::Merge { into } => {
                let round = self.problems[into].row.round;
                for problem in &mut self.problems {
                    if problem.row.merged_into == Some(on) {
                        problem.row.merged_into = Some(into);
                        problem.row.version += 1;
                    }
                }
                let due = |one: &&mut Asked| one.on == on && one.state == follow_up::State::Due;
                for asked in self.asked.iter_mut().filter(due) {
                    (asked.on, asked.round) = (into, round);
                    asked.version += 1;
                }
                self.problems[into].row.version += 1;
                let row = self.to(on, State::Merged, now);
                (row.merged_into, row.reason) = (Some(into), Some(reason));
                vec![("problem_merged", Some(on)), ("problem_absorbed", Some(into))]
            }
            Verb::Escalate => {
                self.release(on, now);
                self.to(on, State::Escalated, now).reason = Some(reason);
                // Who reported it stays here, and nobody above wrote it down.
                let above = self.register(COUNTY, None, false);
                self.problems[above].row.title = self.problems[on].row.title.clone();
                self.links.push(Link { above, below: on, state: escalation::State::Open });
                vec![("problem_registered", Some(above)), ("problem_escalated", Some(on))]
            }
            Verb::RecallEscalation => {
                let link = self.open_link(|link| link.below == on).expect("an escalation");
                let above = self.links[link].above;
                self.to(above, State::Withdrawn, now);
                self.come_back(link, escalation::State::Recalled, now);
                self.problems[on].row.reason = Some(reason);
                let mut told = self.ended(above, "problem_withdrawn");
                told.push(("problem_escalation_recalled", Some(on)));
                told
            }
            Verb::ReturnEscalation => {
                let link = self.open_link(|link| link.above == on).expect("an escalation");
                let Row { assigned_at, accepted_at, due_on, .. } = self.problems[on].row;
                self.release(on, now);
                let row = self.to(on, State::Rejected, now);
                // When it was with somebody, and by when it was due, stays on record.
                (row.assigned_at, row.accepted_at, row.due_on) = (assigned_at, accepted_at, due_on);
                row.reason = Some(reason.clone());
                let below = self.come_back(link, escalation::State::Returned, now);
                self.problems[below].row.reason = Some(reason);
                let mut told = self.ended(on, "problem_rejected");
                told.push(("problem_escalation_returned", Some(below)));
                told
            }
            Verb::AddPart { unit } => {
                self.problems[on].parts.insert(unit, part(now));
                self.problems[on].clocks.insert(unit, Clock::begin(None, now));
                self.to(on, state, now);
                one("problem_part_added")
            }
            Verb::RemovePart { unit } => {
                self.lapse(on, Some(unit), now);
                let problem = &mut self.problems[on];
                let part = problem.parts.remove(&unit);
                problem.clocks.remove(&unit);
                if part.is_some_and(|part| part.accepted_at.is_some()) {
                    problem.past.insert((problem.row.round, unit));
                }
                self.to(on, state, now);
                one("problem_part_removed")
            }
            Verb::AcceptPart { .. }
            | Verb::DeclinePart { .. }
            | Verb::StartPart { .. }
            | Verb::FinishPart { .. }
            | Verb::ReopenPart { .. } => {
                let kind = self.move_part(&command.clone(), reason, now);
                self.to(on, state, now);
                one(kind)
            }
            Verb::Prove { stage } => {
                let unit = self.brings_for(command);
                let problem = &mut self.problems[on];
                problem.evidence.push((problem.row.round, unit, stage));
                if stage == Stage::Closure {
                    problem.bringers.insert(who);
                }
                problem.row.version += 1;
                one("evidence_added")
            }
            Verb::Ask { reporter } => {
                self.ask(on, reporter.unwrap_or(on));
                one("follow_up_due")
            }
            Verb::Try { asked } => {
                let on = self.asked[asked].on;
                let asked = &mut self.asked[asked];
                asked.tries += 1;
                asked.tried_at = Some(now);
                asked.version += 1;
                let last = asked.tries == 3;
                if last {
                    (asked.state, asked.done_by) = (follow_up::State::Unreachable, Some(who));
                }
                vec![(if last { "follow_up_unreachable" } else { "follow_up_tried" }, Some(on))]
            }
            Verb::Answer { asked, satisfied } => self.answer(asked, who, satisfied, now),
            Verb::Rename => {
                let row = &mut self.problems[on].row;
                row.version += 1;
                row.title = reason;
                one("problem_updated")
            }
        }
    }

    fn to_ask(&self, on: usize) -> Vec<usize> {
        let is_of = |place: usize| place == on || self.problems[place].row.merged_into == Some(on);
        let waits = |place: usize| {
            self.asked
                .iter()
                .any(|one| one.on == on && one.reporter == place && one.state == follow_up::State::Due)
        };
        (0..self.problems.len())
            .filter(|place| is_of(*place) && self.problems[*place].known && !waits(*place))
            .collect()
    }

    fn answer(&mut self, asked: usize, who: usize, satisfied: bool, now: At) -> Events {
        let row = &mut self.asked[asked];
        (row.state, row.done_by, row.satisfied) = (follow_up::State::Answered, Some(who), Some(satisfied));
        row.version += 1;
        let (on, round) = (row.on, row.round);
        let mut told = vec![("follow_up_answered", Some(on))];
        // Of a round that was followed by another nothing is moved any more.
        if !satisfied && round == self.problems[on].row.round {
            match self.problems[on].row.state {
                State::Submitted | State::Verified => {
                    self.send_back(on, DISSATISFIED.to_owned(), now);
                    told.push(("problem_returned", Some(on)));
                }
                State::StruckOff => {
                    self.reopen(on, Some(who), DISSATISFIED.to_owned(), now);
                    told.push(("problem_reopened", Some(on)));
                }
                _ => {}
            }
        }
        told
    }

    fn move_part(&mut self, command: &Command, reason: String, now: At) -> &'static str {
        let (unit, _) = command.verb.part().expect("a step of a part");
        let problem = &mut self.problems[command.on];
        let round = problem.row.round;
        let shown =
            problem.evidence.iter().filter(|one| **one == (round, Some(unit), Stage::Closure)).count();
        let part = problem.parts.get_mut(&unit).expect("a part");
        match command.verb {
            Verb::AcceptPart { .. } => {
                part.state = PartState::Accepted;
                (part.handler, part.accepted_at) = (Some(command.who), Some(now));
                problem.hands.insert(command.who);
                "problem_part_accepted"
            }
            Verb::DeclinePart { .. } => {
                (part.state, part.reason) = (PartState::Declined, Some(reason));
                part.declined += 1;
                "problem_part_declined"
            }
            Verb::StartPart { .. } => {
                (part.state, part.handler) = (PartState::InProgress, Some(command.who));
                problem.hands.insert(command.who);
                "problem_part_started"
            }
            Verb::FinishPart { .. } => {
                (part.state, part.done_at) = (PartState::Done, Some(now));
                "problem_part_finished"
            }
            _ => {
                part.reason = Some(reason);
                if part.state == PartState::Declined {
                    (part.state, part.assigned_at) = (PartState::Assigned, now);
                } else {
                    part.state = PartState::InProgress;
                    part.evidence_at_return = i32::try_from(shown).expect("a few");
                }
                "problem_part_reopened"
            }
        }
    }

    /// How many problems of a list are in each state, and how often they were reopened.
    pub fn tally(&self, list: usize, into: &mut (BTreeMap<State, i64>, i64)) {
        for problem in self.problems.iter().filter(|problem| problem.row.list == list) {
            *into.0.entry(problem.row.state).or_default() += 1;
            into.1 += i64::from(problem.row.round - 1);
        }
    }
}
