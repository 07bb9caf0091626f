//! The town that a fault strikes: a migrated database with an alliance and people who can sign in.

use std::path::{Path, PathBuf};

use chrono::TimeDelta;
use concord::{
    app::SystemClock,
    config::Config,
    domain::{
        context::Clock as _,
        list::{
            deadline::Limit,
            deadline_policy::{self, PolicyChange, Rule},
            problem::{
                self, NewProblem,
                moves::{self, Triage},
            },
        },
        mobilization::{
            Which,
            order::{self, NewMobilization, NewNeed},
        },
    },
    graphql::id,
};
use concord_entities::{
    breach::Clock,
    problem::{Channel, Severity, Tier},
    problem_responsible::Unit,
};
use concord_tests::{
    TestApp, World,
    database::{self, Home},
};

use crate::cluster::Cluster;

/// Everybody's password.
pub const PASSWORD: &str = "faults-are-certain-2026";
/// Registers problems.
pub const GRID_OFFICER: &str = "grid.632223";
/// Edits the alliance.
pub const COMMITTEE: &str = "committee.632223";

/// How many problems of the town's own become late while a fault strikes, and what their titles begin with.
pub const LATE: usize = 8;
pub const LATE_TITLE: &str = "限时整改";
/// The time between the deadlines of two of them.
const APART: TimeDelta = TimeDelta::milliseconds(500);

/// A town's database and data folder.
pub struct Town {
    // Dropped before the cluster that its database lives in.
    home: Home,
    pub cluster: Option<Cluster>,
    log: tempfile::TempDir,
    /// Global identifier of its alliance.
    pub alliance: String,
    pub alliance_id: concord_entities::id::AllianceId,
    /// Global identifiers of an order that stands, and of the community that people come to.
    pub mobilization: String,
    pub community: String,
}

/// Whether the run is on PostgreSQL.
pub fn on_postgres() -> bool {
    database::postgres().is_some()
}

impl Town {
    /// A town on the run's kind of database, or why there is none.
    pub async fn build() -> Result<Self, String> {
        Self::build_on(|_| Ok(())).await
    }

    /// A town whose data folder was prepared first.
    pub async fn build_on(prepare: impl FnOnce(&Path) -> Result<(), String>) -> Result<Self, String> {
        let cluster = if on_postgres() { Some(Cluster::start()?) } else { None };
        if let Some(cluster) = &cluster {
            cluster.sql("CREATE DATABASE concord").await;
        }
        Self::found(cluster, prepare).await
    }

    /// A town in the database `concord` of a cluster, or in a SQLite file.
    pub async fn found(
        cluster: Option<Cluster>,
        prepare: impl FnOnce(&Path) -> Result<(), String>,
    ) -> Result<Self, String> {
        let home = Home::new(cluster.as_ref().map(|cluster| cluster.url("concord")));
        prepare(home.directory.path())?;
        let settings = Config::defaults().database;
        let migrated = concord::database::connect(&settings, &home.url, true).await.expect("it is migrated");
        migrated.write.close().await.expect("the connection closes");
        migrated.read.close().await.expect("the readers close");
        let app = TestApp::on(home).await;
        let world = World::build(&app, "632223").await;
        app.give_password(world.grid_officer, PASSWORD).await;
        app.give_password(world.committee, PASSWORD).await;
        let mobilization = mobilize(&app, &world).await;
        assign_late(&app, &world).await;
        app.run_background().await;
        Ok(Self {
            mobilization,
            community: id::encode(world.communities[0]).to_string(),
            home: app.close().await,
            cluster,
            log: tempfile::tempdir().expect("a temporary folder"),
            alliance: id::encode(world.town).to_string(),
            alliance_id: world.town,
        })
    }

    /// The data folder.
    pub fn data(&self) -> &Path {
        self.home.directory.path()
    }

    /// The database's URL.
    pub fn url(&self) -> &str {
        self.home.url.reveal()
    }

    pub fn is_postgres(&self) -> bool {
        self.url().starts_with("postgres")
    }

    /// Where its processes log to.
    pub fn log(&self) -> PathBuf {
        self.log.path().join("log")
    }

    /// The cluster that its database lives in.
    pub fn cluster(&self) -> &Cluster {
        self.cluster.as_ref().expect("a town on PostgreSQL")
    }

    /// Goes on in another cluster that holds the same database; gives back the one it leaves.
    pub fn move_to(&mut self, cluster: Cluster) -> Option<Cluster> {
        self.home.url = concord::config::Secret::new(cluster.url("concord"));
        self.cluster.replace(cluster)
    }

    /// The same town in another folder and database, as a backup of it restores.
    pub fn elsewhere(&self, url: Option<String>) -> Self {
        Self {
            home: Home::new(url),
            cluster: None,
            log: tempfile::tempdir().expect("a temporary folder"),
            alliance: self.alliance.clone(),
            alliance_id: self.alliance_id,
            mobilization: self.mobilization.clone(),
            community: self.community.clone(),
        }
    }

    /// A look into the database from outside.
    pub async fn look(&self) -> concord::database::Connections {
        let settings = concord::config::Database { max_connections: 2, ..Config::defaults().database };
        concord::database::connect(&settings, &self.home.url, false).await.expect("the database answers")
    }
}

/// Makes a unit responsible for problems whose deadlines pass one after the other, the first before the process starts.
async fn assign_late(app: &TestApp, world: &World) {
    let committee = app.ctx(world.committee);
    let limit = Limit { amount: 1, unit: Unit::Hours };
    let rule = Rule { clock: Clock::Resolution, severity: None, tier: None, is_complex: None, limit };
    let change = PolicyChange { rules: Some(vec![rule]), ..PolicyChange::default() };
    deadline_policy::set(&committee, world.town, None, change).await.expect("a limit");
    let mut assigned_at = SystemClock.now() - TimeDelta::hours(1) - APART * 2;
    for number in 1..=LATE {
        app.set_now(assigned_at);
        let new = NewProblem {
            alliance_id: world.town,
            title: format!("{LATE_TITLE}{number}"),
            description: "限一小时内办结".to_owned(),
            category: "道路".to_owned(),
            place: None,
            region_id: None,
            channel: Channel::Patrol,
            reporter_name: None,
            reporter_phone: None,
            severity: Severity::Ordinary,
            occurred_at: None,
            evidence: Vec::new(),
        };
        let id = problem::register(&committee, new).await.expect("registered").id;
        let which = moves::Which { id, expected_version: None };
        let triage = Triage {
            tier: Tier::Small,
            measures: "清障".to_owned(),
            criterion: "道路畅通".to_owned(),
            is_complex: false,
        };
        moves::triage(&committee, which, triage).await.expect("triaged");
        moves::assign(&committee, which, world.members[1], None).await.expect("assigned");
        assigned_at += APART;
    }
}

/// Issues an order to which people check in while faults strike.
async fn mobilize(app: &TestApp, world: &World) -> String {
    let committee = app.ctx(world.committee);
    let region_id = world.communities[0];
    let new = NewMobilization {
        alliance_id: world.town,
        title: "除雪保畅".to_owned(),
        reason: "暴雪红色预警".to_owned(),
        region_ids: vec![world.town_region],
        needs: vec![NewNeed { region_id, needed: 100, work: "除雪".to_owned() }],
        units: Vec::new(),
    };
    let row = order::draft(&committee, new).await.expect("drafted");
    order::issue(&committee, Which { id: row.id, expected_version: None }).await.expect("issued");
    id::encode(row.id).to_string()
}
