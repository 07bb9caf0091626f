//! The same commands at the product: its verbs on a database, and what its rows say afterwards in the model's words.

use std::collections::{BTreeMap, BTreeSet};

use concord::{
    domain::{
        Ctx, Error, Result,
        governance::{
            alliance::{self, AllianceChange},
            membership::{self, Contact},
            organization::{self, NewOrganization},
        },
        identity::{
            account::{self, NewAccount},
            seat::{self, NewSeat},
        },
        list::{
            evidence::{self, NewEvidence, Subject},
            follow_up::{self as asking, NewFollowUp, WhichFollowUp},
            problem::{
                self, NewProblem,
                edit::{self, ProblemChange},
                escalation as up, merge,
                moves::{self, Triage, Which},
                on_account::{self, NewHold},
                parts::{self, WhichPart},
                round,
                tiers::{self, Settled},
            },
        },
    },
    graphql::id,
};
use concord_entities::{
    alliance_count, escalation, event, evidence as pieces, follow_up,
    id::{AccountId, AllianceId, ExtensionId, FollowUpId, OrganizationId, ProblemId},
    organization::Kind,
    problem::{Channel, Model, Severity, State},
    problem_handler, problem_responsible, problem_round, problem_sign_off, problem_tier_move,
};
use concord_tests::{TestApp, World};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};

use super::{
    list::{Asked, At, DISSATISFIED, Ended, Link, List, Part, Row},
    town::{COUNTY, Command, Expect, MEMBERS, TOWN, Verb, people},
};

/// Something of each unit of each problem.
pub type ByUnit<T> = BTreeMap<(usize, usize), T>;

/// Who and what the places stand for.
#[derive(Clone)]
pub struct Names {
    pub alliances: [AllianceId; 2],
    pub units: Vec<OrganizationId>,
    pub people: Vec<AccountId>,
}

impl Names {
    /// Seats everybody.
    pub async fn build(app: &TestApp, world: &World) -> Self {
        let system = app.system();
        let alliances = [world.town, world.county];
        let mut units = world.members.clone();
        let stray = NewOrganization {
            name: "外地单位".to_owned(),
            short_name: None,
            kind: Kind::GovernmentUnit,
            credit_code: None,
            region_id: None,
        };
        units.push(organization::record(&system, stray).await.expect("an organisation").id);
        for unit in MEMBERS[COUNTY] {
            membership::admit(&system, world.county, units[*unit], Contact::default())
                .await
                .expect("a membership");
        }
        let known = [
            ("committee", world.committee),
            ("approver", world.approver),
            ("manager", world.manager),
            ("staff", world.staff),
            ("other", world.other_staff),
            ("officer", world.officer),
            ("grid", world.grid_officer),
            ("verifier", world.verifier),
            ("observer", world.observer),
            ("county", world.county_committee),
            ("stranger", world.stranger),
        ];
        let mut ids = Vec::new();
        for (name, seats) in people() {
            if let Some((_, id)) = known.iter().find(|one| one.0 == name) {
                ids.push(*id);
                continue;
            }
            let new = NewAccount {
                username: name.replace(' ', "."),
                display_name: name.to_owned(),
                password_hash: Some("!".to_owned()),
                ..NewAccount::default()
            };
            let account_id = account::create(&system, new).await.expect("an account").id;
            for (list, role, unit) in seats {
                let (alliance_id, organization_id) = (alliances[list], unit.map(|unit| units[unit]));
                let new = NewSeat { account_id, alliance_id, role, organization_id, region_id: None };
                seat::grant(&system, new).await.expect("a seat");
            }
            ids.push(account_id);
        }
        Self { alliances, units, people: ids }
    }

    pub fn unit(&self, id: OrganizationId) -> usize {
        self.units.iter().position(|one| *one == id).expect("a unit of ours")
    }

    pub fn person(&self, id: AccountId) -> usize {
        self.people.iter().position(|one| *one == id).expect("one of ours")
    }
}

/// The product's side of one sequence.
pub struct Product<'a> {
    pub app: &'a TestApp,
    pub names: &'a Names,
    pub problems: Vec<ProblemId>,
    pub asked: Vec<FollowUpId>,
    pub extensions: Vec<ExtensionId>,
}

impl Product<'_> {
    /// Asks the product; a problem that was registered is added.
    pub async fn ask(&mut self, list: &List, command: &Command, reason: &str) -> Result<()> {
        let ctx = self.app.ctx(self.names.people[command.who]);
        match command.verb {
            Verb::Register { list: place, known } => {
                let new = NewProblem {
                    alliance_id: self.names.alliances[place],
                    title: "路灯不亮".to_owned(),
                    description: "三盏".to_owned(),
                    category: "照明".to_owned(),
                    place: None,
                    region_id: None,
                    channel: Channel::Patrol,
                    reporter_name: known.then(|| "李四".to_owned()),
                    reporter_phone: None,
                    severity: Severity::Ordinary,
                    occurred_at: None,
                    evidence: Vec::new(),
                };
                self.problems.push(problem::register(&ctx, new).await?.id);
                return Ok(());
            }
            Verb::Settle { sign_offs, objection_hours, asks } => {
                let change = AllianceChange {
                    sign_offs: Some(sign_offs),
                    objection_hours: Some(objection_hours),
                    follow_up_on_submission: Some(asks),
                    ..AllianceChange::default()
                };
                let version = list.settled[TOWN].version - i64::from(command.expect == Expect::Stale);
                return alliance::update(&ctx, self.names.alliances[TOWN], version, change).await.map(drop);
            }
            _ => {}
        }
        let version = match command.verb {
            Verb::Try { asked } | Verb::Answer { asked, .. } => list.asked[asked].version,
            _ => list.problems[command.on].row.version,
        };
        let expected_version = match command.expect {
            Expect::Nothing => None,
            Expect::Current => Some(version),
            Expect::Stale => Some(version - 1),
        };
        let which = Which { id: self.problems[command.on], expected_version };
        let reason = if command.said { reason } else { " " };
        if command.verb.part().is_some() {
            return self.ask_part(&ctx, which, command, reason).await;
        }
        match command.verb {
            Verb::Prove { stage } => {
                // Whoever may not even send a file sends none.
                let files = match crate::problem::try_upload(self.app, ctx.account_id()?, "照片").await {
                    Ok(file) => vec![file],
                    Err(Error::Forbidden) => Vec::new(),
                    Err(error) => return Err(error),
                };
                let new = NewEvidence { subject: Subject::Problem(which.id), files, stage, note: None };
                evidence::add(&ctx, new).await.map(drop)
            }
            Verb::Rename => {
                let change = ProblemChange { title: Some(reason.to_owned()), ..ProblemChange::default() };
                edit::update(&ctx, which.id, expected_version.unwrap_or(version), change).await.map(drop)
            }
            Verb::Ask { reporter } => {
                let new = NewFollowUp {
                    problem: which,
                    reporter_problem_id: reporter.map(|place| self.problems[place]),
                    kind: follow_up::Kind::Call,
                    due_on: None,
                };
                asking::request(&ctx, new).await.map(drop)
            }
            Verb::Try { asked } => {
                let which = WhichFollowUp { id: self.asked[asked], expected_version };
                asking::record_try(&ctx, which, None).await.map(drop)
            }
            Verb::Answer { asked, satisfied } => {
                let which = WhichFollowUp { id: self.asked[asked], expected_version };
                let solved = if satisfied { follow_up::Solved::Yes } else { follow_up::Solved::No };
                let answer = asking::Answer { solved, satisfied, words: None, note: None };
                asking::record_answer(&ctx, which, answer).await.map(drop)
            }
            _ => self.ask_move(&ctx, which, command, reason).await.map(drop),
        }
    }

    async fn ask_move(&self, ctx: &Ctx, which: Which, command: &Command, reason: &str) -> Result<Model> {
        let unit = |place: usize| self.names.units[place];
        match &command.verb {
            Verb::Triage { tier, reason: with } => {
                let triage = Triage {
                    tier: *tier,
                    measures: reason.to_owned(),
                    criterion: "灯亮".to_owned(),
                    is_complex: false,
                };
                let settled = Settled { reason: with.then(|| "另议".to_owned()), ..Settled::default() };
                moves::triage_by(ctx, which, triage, settled).await
            }
            Verb::Assign { lead, joint } => {
                let joint: Vec<_> = joint.iter().map(|place| unit(*place)).collect();
                moves::assign_jointly(ctx, which, unit(*lead), &joint, None).await
            }
            Verb::Recall => moves::recall(ctx, which, reason).await,
            Verb::Accept => moves::accept(ctx, which).await,
            Verb::Decline { proposed } => moves::decline(ctx, which, reason, proposed.map(unit)).await,
            Verb::Start { handler } => {
                moves::start(ctx, which, handler.map(|who| self.names.people[who])).await
            }
            Verb::Reassign { handler } => moves::reassign(ctx, which, self.names.people[*handler]).await,
            Verb::Hold { unit: answers } => {
                let review_on = (ctx.now() + chrono::TimeDelta::days(9)).date_naive();
                let new =
                    NewHold { reason: reason.to_owned(), organization_id: answers.map(unit), review_on };
                on_account::hold(ctx, which, new).await
            }
            Verb::Resume => on_account::resume(ctx, which).await,
            Verb::MoveTier { tier } => {
                let settled = Settled { reason: Some(reason.to_owned()), ..Settled::default() };
                tiers::move_tier(ctx, which, *tier, settled).await
            }
            Verb::Submit => moves::submit(ctx, which).await,
            Verb::Verify => moves::verify(ctx, which, reason).await,
            Verb::Return => moves::send_back(ctx, which, reason).await,
            Verb::SignOff => moves::sign_off(ctx, which).await,
            Verb::StrikeOff => moves::strike_off(ctx, which).await,
            Verb::Reject => moves::reject(ctx, which, reason).await,
            Verb::Withdraw => moves::withdraw(ctx, which, reason).await,
            Verb::Reopen => round::reopen(ctx, which, reason).await,
            Verb::Merge { into } => merge::merge(ctx, which, self.problems[*into], reason).await,
            Verb::Escalate => up::escalate(ctx, which, reason).await,
            Verb::RecallEscalation => up::recall(ctx, which, reason).await,
            Verb::ReturnEscalation => up::hand_back(ctx, which, reason).await,
            Verb::AddPart { unit: place } => parts::add(ctx, which, unit(*place)).await,
            Verb::RemovePart { unit: place } => parts::remove(ctx, which, unit(*place), reason).await,
            other => unreachable!("{other:?} is asked elsewhere"),
        }
    }

    async fn ask_part(&self, ctx: &Ctx, problem: Which, command: &Command, reason: &str) -> Result<()> {
        let (unit, _) = command.verb.part().expect("a step of a part");
        let which = WhichPart { problem, organization: self.names.units[unit] };
        match command.verb {
            Verb::AcceptPart { .. } => parts::accept(ctx, which).await,
            Verb::DeclinePart { .. } => parts::decline(ctx, which, reason).await,
            Verb::StartPart { .. } => parts::start(ctx, which).await,
            Verb::FinishPart { .. } => parts::finish(ctx, which).await,
            _ => parts::reopen(ctx, which, reason).await,
        }
        .map(drop)
    }

    /// Learns which identifiers belong to what the model made besides.
    pub async fn learn(&mut self, list: &List) {
        let db = &self.app.app.read;
        if list.problems.len() > self.problems.len() {
            let below = list.links.last().expect("an escalation").below;
            let link = escalation::Entity::find()
                .filter(escalation::Column::ProblemId.eq(self.problems[below]))
                .filter(escalation::Column::State.eq(escalation::State::Open))
                .one(db)
                .await
                .expect("a read")
                .expect("the link of an escalation");
            self.problems.push(link.parent_problem_id);
        }
        for asked in &list.asked[self.asked.len()..] {
            let row = follow_up::Entity::find()
                .filter(follow_up::Column::ProblemId.eq(self.problems[asked.on]))
                .filter(follow_up::Column::ReporterProblemId.eq(self.problems[asked.reporter]))
                .filter(follow_up::Column::State.eq(follow_up::State::Due))
                .one(db)
                .await
                .expect("a read")
                .expect("the follow-up that fell due");
            self.asked.push(row.id);
        }
    }

    pub fn place(&self, id: ProblemId) -> usize {
        self.problems.iter().position(|one| *one == id).expect("a problem of this sequence")
    }

    /// The problem that an event is about; nothing where it is about the town's alliance.
    pub fn about(&self, row: &event::Model) -> Option<usize> {
        (row.subject_kind != "alliance").then(|| self.place(ProblemId(row.subject_id)))
    }

    /// The rows of some problems, as the model tells them.
    pub async fn rows(&self, of: &BTreeSet<usize>) -> BTreeMap<usize, Row> {
        let found = problem::visible(&self.app.system())
            .filter(concord_entities::problem::Column::Id.is_in(of.iter().map(|place| self.problems[*place])))
            .all(&self.app.app.read)
            .await
            .expect("problems");
        found.into_iter().map(|row| (self.place(row.id), self.row(row))).collect()
    }

    fn row(&self, row: Model) -> Row {
        let person = |id: Option<AccountId>| id.map(|id| self.names.person(id));
        let unit = |id: Option<OrganizationId>| id.map(|id| self.names.unit(id));
        let dissatisfied = row.reason.as_deref().is_some_and(|reason| reason.starts_with("回访不满意"));
        Row {
            list: usize::from(row.alliance_id == self.names.alliances[COUNTY]),
            seq: row.seq,
            title: row.title,
            tier: row.tier,
            state: row.state,
            is_open: row.is_open,
            round: row.round,
            lead: unit(row.lead_organization_id),
            handler: person(row.handler_id),
            proposed: unit(row.proposed_organization_id),
            reason: if dissatisfied { Some(DISSATISFIED.to_owned()) } else { row.reason },
            declined: row.declined_count,
            returned: row.returned_count,
            evidence_at_return: row.evidence_at_return,
            assigned_at: row.assigned_at,
            accepted_at: row.accepted_at,
            submitted: row.submitted_at.zip(person(row.submitted_by)),
            verified: row
                .verified_at
                .zip(person(row.verifier_id))
                .zip(unit(row.verifier_organization_id))
                .map(|((at, who), unit)| (at, who, unit)),
            struck_off: row.struck_off_at.zip(person(row.approver_id)),
            signed_off: row.signed_off_at.zip(person(row.signed_off_by)),
            held: row
                .held_at
                .zip(person(row.held_by))
                .map(|(at, who)| (at, who, unit(row.held_organization_id))),
            recorded_by: person(row.recorded_by),
            closed_at: row.closed_at,
            due_on: row.due_on,
            rested_on: row.rested_on,
            merged_into: row.merged_into_id.map(|id| self.place(id)),
            version: row.version,
        }
    }

    /// The parts of joint units, by problem and unit, and by when each responsible unit is to be done.
    pub async fn units(&self, of: &BTreeSet<usize>) -> (ByUnit<Part>, ByUnit<Option<At>>) {
        use problem_responsible::{Column, Duty, Entity};
        let rows = Entity::find()
            .filter(Column::ProblemId.is_in(of.iter().map(|place| self.problems[*place])))
            .all(&self.app.app.read)
            .await
            .expect("units");
        let of = |row: &problem_responsible::Model| {
            (self.place(row.problem_id), self.names.unit(row.organization_id))
        };
        let due = rows.iter().map(|row| (of(row), row.resolution_due_at)).collect();
        let told = |row: problem_responsible::Model| {
            let at = of(&row);
            let part = Part {
                state: row.state,
                handler: row.handler_id.map(|id| self.names.person(id)),
                reason: row.reason,
                declined: row.declined_count,
                evidence_at_return: row.evidence_at_return,
                assigned_at: row.assigned_at,
                accepted_at: row.accepted_at,
                done_at: row.done_at,
            };
            (at, part)
        };
        let joint = rows.into_iter().filter(|row| row.duty == Duty::Joint);
        (joint.map(told).collect(), due)
    }

    /// The follow-ups, in the order in which they fell due.
    pub async fn asked(&self) -> Vec<Asked> {
        let rows = follow_up::Entity::find()
            .filter(follow_up::Column::ReporterProblemId.is_in(self.problems.iter().copied()))
            .all(&self.app.app.read)
            .await
            .expect("follow-ups");
        let mut by_place: BTreeMap<usize, Asked> = BTreeMap::new();
        for row in rows {
            let place =
                self.asked.iter().position(|one| *one == row.id).expect("a follow-up of this sequence");
            let asked = Asked {
                on: self.place(row.problem_id),
                round: row.round,
                reporter: self.place(row.reporter_problem_id),
                state: row.state,
                tries: row.tries,
                tried_at: row.tried_at,
                satisfied: row.is_satisfied,
                done_by: row.done_by.map(|id| self.names.person(id)),
                version: row.version,
            };
            by_place.insert(place, asked);
        }
        by_place.into_values().collect()
    }

    /// The escalations, in the order in which they began.
    pub async fn links(&self) -> Vec<Link> {
        let rows = escalation::Entity::find()
            .filter(escalation::Column::ProblemId.is_in(self.problems.iter().copied()))
            .order_by_asc(escalation::Column::EscalatedAt)
            .all(&self.app.app.read)
            .await
            .expect("escalations");
        let told = |row: escalation::Model| Link {
            above: self.place(row.parent_problem_id),
            below: self.place(row.problem_id),
            state: row.state,
        };
        rows.into_iter().map(told).collect()
    }

    /// What somebody is told they can do with a problem next; nothing where they do not see it.
    pub async fn offered(&self, who: usize, on: usize) -> Option<BTreeMap<String, bool>> {
        let query = "query($id: ID!) { problem(id: $id) { availableTransitions { mutation available } } }";
        let client = self.app.client(self.names.people[who]);
        let answer = client.send(query, json!({ "id": id::encode(self.problems[on]) })).await;
        let all = answer.at("/problem/availableTransitions").as_array()?;
        let told = |one: &Value| {
            let mutation = one["mutation"].as_str().expect("a name").to_owned();
            (mutation, one["available"] == true)
        };
        Some(all.iter().map(told).collect())
    }

    /// What is kept besides: ended rounds, hands, signatures, pieces of evidence and moves between tiers.
    pub async fn kept(&self, on: usize) -> Kept {
        let (id, db) = (self.problems[on], &self.app.app.read);
        let rounds = problem_round::Entity::find()
            .filter(problem_round::Column::ProblemId.eq(id))
            .order_by_asc(problem_round::Column::Round)
            .all(db)
            .await
            .expect("rounds");
        let hands = problem_handler::Entity::find()
            .filter(problem_handler::Column::ProblemId.eq(id))
            .all(db)
            .await
            .expect("hands");
        let signed = problem_sign_off::Entity::find()
            .filter(problem_sign_off::Column::ProblemId.eq(id))
            .all(db)
            .await
            .expect("signatures");
        let person = |id: Option<AccountId>| id.map(|id| self.names.person(id));
        let unit = |id: Option<OrganizationId>| id.map(|id| self.names.unit(id));
        let ended = |row: problem_round::Model| Ended {
            round: row.round,
            lead: unit(row.lead_organization_id),
            joint: round::joint_of(&row).into_iter().map(|id| self.names.unit(id)).collect(),
            handler: person(row.handler_id),
            verified: row
                .verified_at
                .zip(person(row.verifier_id))
                .zip(unit(row.verifier_organization_id))
                .map(|((at, who), unit)| (at, who, unit)),
            struck_off: row.struck_off_at.zip(person(row.approver_id)),
            declined: row.declined_count,
            returned: row.returned_count,
            reopened_by: person(row.reopened_by),
        };
        let evidence =
            pieces::Entity::find().filter(pieces::Column::ProblemId.eq(id)).count(db).await.expect("a count");
        let moves = problem_tier_move::Entity::find()
            .filter(problem_tier_move::Column::ProblemId.eq(id))
            .count(db)
            .await
            .expect("a count");
        Kept {
            rounds: rounds.into_iter().map(ended).collect(),
            hands: hands.into_iter().map(|row| self.names.person(row.account_id)).collect(),
            signed: signed
                .into_iter()
                .map(|row| (row.round, row.returned_count, self.names.person(row.signed_by)))
                .collect(),
            evidence: usize::try_from(evidence).expect("a few"),
            tier_moves: usize::try_from(moves).expect("a few"),
        }
    }
}

/// The events of an instant, with their kinds.
pub async fn events(app: &TestApp, at: At) -> Vec<(&'static str, event::Model)> {
    let millis = u64::try_from(at.timestamp_millis()).expect("after 1970");
    let from = uuid::Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid();
    let rows =
        event::Entity::find().filter(event::Column::Id.gte(from)).all(&app.app.read).await.expect("events");
    let told = |row: event::Model| {
        let mut kinds = concord::domain::Event::ALL.iter().map(|event| event.text());
        (kinds.find(|kind| *kind == row.kind).expect("a kind of ours"), row)
    };
    rows.into_iter().map(told).collect()
}

/// What is kept of a problem besides its row.
#[derive(Debug, PartialEq)]
pub struct Kept {
    pub rounds: Vec<Ended>,
    pub hands: BTreeSet<usize>,
    pub signed: BTreeSet<(i32, i32, usize)>,
    pub evidence: usize,
    pub tier_moves: usize,
}

/// What the counters of a list say of its problems: how many are in each state, and how often they were reopened.
pub async fn counted(app: &TestApp, list: AllianceId) -> (BTreeMap<State, i64>, i64) {
    let row = alliance_count::Entity::find_by_id(list)
        .one(&app.app.read)
        .await
        .expect("a read")
        .expect("counters of an alliance");
    let states = [
        (State::Registered, row.problem_registered),
        (State::Triaged, row.problem_triaged),
        (State::Assigned, row.problem_assigned),
        (State::Accepted, row.problem_accepted),
        (State::InProgress, row.problem_in_progress),
        (State::OnAccount, row.problem_on_account),
        (State::Submitted, row.problem_submitted),
        (State::Verified, row.problem_verified),
        (State::StruckOff, row.problem_struck_off),
        (State::Rejected, row.problem_rejected),
        (State::Withdrawn, row.problem_withdrawn),
        (State::ClosedAtSource, row.problem_closed_at_source),
        (State::Merged, row.problem_merged),
        (State::Escalated, row.problem_escalated),
    ];
    let some = states.into_iter().filter(|(_, count)| *count != 0);
    (some.map(|(state, count)| (state, count.into())).collect(), row.problem_reopened.into())
}
