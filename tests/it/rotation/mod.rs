//! The rotation: a town with service teams to take turns, and its stories.

mod approval;
pub mod duty;
mod feed;
pub mod handover_item;
mod plan;
mod swap;

use concord::{
    domain::{
        governance::{
            membership::{self, Contact},
            organization::{self, NewOrganization},
            service_team::{self, NewTeam},
        },
        identity::{
            account::{self, NewAccount},
            seat::{self, NewSeat},
        },
    },
    graphql::id,
};
use concord_entities::{
    event,
    id::{AccountId, OrganizationId, ServiceTeamId},
    organization::Kind,
    seat::Role,
};
use concord_tests::{Answer, TestApp, World};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};

/// A town whose members have formed service teams.
pub struct Town {
    pub world: World,
    /// In the order they were formed; the first is led by `world.members[1]`, the second by `world.members[2]`.
    pub teams: Vec<ServiceTeamId>,
    /// Manager of the second team's unit.
    pub second_manager: AccountId,
}

impl Town {
    pub async fn build(app: &TestApp, code: &str, teams: usize) -> Self {
        let world = World::build(app, code).await;
        let system = app.system();
        let mut formed = Vec::new();
        for number in 1..=teams {
            let unit = match world.members.get(number) {
                Some(unit) if number <= 6 => *unit,
                _ => unit(app, &world, &format!("增补单位{number}-{code}")).await,
            };
            let new = NewTeam {
                name: format!("第{number}服务队"),
                lead_organization_id: unit,
                member_organization_ids: vec![unit],
                captain_name: "王队长".to_owned(),
                captain_title: None,
                captain_phone: None,
                liaison_name: None,
                liaison_phone: None,
            };
            formed.push(service_team::form(&system, world.town, new).await.expect("a team").id);
        }
        let account = account::create(
            &system,
            NewAccount {
                username: format!("second.{code}"),
                display_name: "second".to_owned(),
                password_hash: Some("!".to_owned()),
                ..NewAccount::default()
            },
        )
        .await
        .expect("an account");
        let new = NewSeat {
            account_id: account.id,
            alliance_id: world.town,
            role: Role::MemberManager,
            organization_id: Some(world.members[2]),
            region_id: None,
        };
        seat::grant(&system, new).await.expect("a seat");
        Self { world, teams: formed, second_manager: account.id }
    }

    /// Global ids of the teams in order.
    pub fn team_ids(&self) -> Vec<Value> {
        self.teams.iter().map(|team| json!(id::encode(*team))).collect()
    }

    /// The global id of a team counted from 1.
    pub fn team(&self, number: usize) -> Value {
        json!(id::encode(self.teams[number - 1]))
    }

    /// Drafts a plan over all teams as the committee; gives its id.
    pub async fn draft(&self, app: &TestApp, first_month: &str, slots: i32) -> String {
        let input = json!({
            "allianceId": id::encode(self.world.town), "name": "年度轮值", "firstMonth": first_month,
            "slotCount": slots, "teamIds": self.team_ids(),
        });
        let answer = app.client(self.world.committee).send(CREATE, json!({ "input": input })).await.fine();
        answer.text("/createRotationPlan/rotationPlan/id")
    }

    /// Drafts, generates and publishes a plan.
    pub async fn published(&self, app: &TestApp, first_month: &str, slots: i32) -> String {
        let plan = self.draft(app, first_month, slots).await;
        self.step(app, "generateRotation", &plan).await.fine();
        self.step(app, "publishRotationPlan", &plan).await.fine();
        plan
    }

    /// Takes one step of a plan as the committee.
    pub async fn step(&self, app: &TestApp, mutation: &str, plan: &str) -> Answer {
        step(app, self.world.committee, mutation, plan).await
    }

    /// The turns of a plan as the committee sees them.
    pub async fn slots(&self, app: &TestApp, plan: &str) -> Vec<Value> {
        let answer = app.client(self.world.committee).send(PLAN, json!({ "id": plan })).await.fine();
        answer.at("/rotationPlan/slots").as_array().expect("turns").clone()
    }

    /// The id of a turn, by its number.
    pub async fn slot(&self, app: &TestApp, plan: &str, number: usize) -> String {
        self.slots(app, plan).await[number - 1]["id"].as_str().expect("an id").to_owned()
    }

    /// The names of the teams on duty, turn by turn.
    pub async fn duty(&self, app: &TestApp, plan: &str) -> Vec<String> {
        names(&self.slots(app, plan).await)
    }
}

/// Takes one step of a plan.
pub async fn step(app: &TestApp, who: AccountId, mutation: &str, plan: &str) -> Answer {
    let document = format!(
        "mutation($input: RotationPlanStepInput!) {{ {mutation}(input: $input) {{
            rotationPlan {{ id state version }} userErrors {{ code field message }} }} }}"
    );
    app.client(who).send(&document, json!({ "input": { "planId": plan } })).await
}

/// The team names of turns.
pub fn names(slots: &[Value]) -> Vec<String> {
    slots.iter().map(|slot| slot["team"]["name"].as_str().unwrap_or("-").to_owned()).collect()
}

/// `["第1服务队", …]` for the numbers given.
pub fn teams(numbers: &[usize]) -> Vec<String> {
    numbers.iter().map(|number| format!("第{number}服务队")).collect()
}

/// A new member of the town.
pub async fn unit(app: &TestApp, world: &World, name: &str) -> OrganizationId {
    let system = app.system();
    let new = NewOrganization {
        name: name.to_owned(),
        short_name: None,
        kind: Kind::GovernmentUnit,
        credit_code: None,
        region_id: None,
    };
    let unit = organization::record(&system, new).await.expect("an organisation").id;
    membership::admit(&system, world.town, unit, Contact::default()).await.expect("a membership");
    unit
}

/// How many events of a kind were recorded.
pub async fn events(app: &TestApp, kind: &str) -> u64 {
    event::Entity::find()
        .filter(event::Column::Kind.eq(kind))
        .count(&app.app.read)
        .await
        .expect("events are counted")
}

pub const CREATE: &str = "mutation($input: CreateRotationPlanInput!) {
    createRotationPlan(input: $input) {
        rotationPlan { id state version slotCount teams { name } }
        userErrors { code field message }
    }
}";

pub const PLAN: &str = "query($id: ID!) {
    rotationPlan(id: $id) {
        state version name anchorOn
        slots { id number startsOn endsOn startsAt endsAt isCurrent state origin version team { name } }
        blocks { slotNumber team { name } }
        fairnessReport {
            teams { team { name } months shortestGap longestGap }
            backToBack spread emptyMonths conflictingMonths
        }
    }
}";

pub const ASSIGN: &str = "mutation($input: AssignRotationSlotInput!) {
    assignRotationSlot(input: $input) {
        rotationSlot { id number origin state version team { name } }
        userErrors { code field message }
    }
}";

pub const BLOCK: &str = "mutation($input: BlockRotationMonthInput!) {
    blockRotationMonth(input: $input) {
        rotationPlan { id blocks { slotNumber team { name } } }
        userErrors { code field message }
    }
}";
