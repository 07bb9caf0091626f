//! What the demo hands out once it is told: a key for dashboards, a calendar's address, the file `demo.json` for scripts, and
//! what stands on the terminal. Keys and addresses are drawn from the system's randomness; only passwords are well known.

use std::{collections::BTreeMap, fmt::Write, net::SocketAddr, path::Path};

use async_graphql::ID;
use chrono::{DateTime, Datelike, TimeDelta, Utc};
use concord_entities::{id::TypedId, saved_filter::Noun};
use sea_orm::ActiveEnum;
use serde::{Deserialize, Serialize};

use super::{
    Which, city,
    days::MONTHS_BEHIND,
    opening::SHOWN,
    problems::Fate,
    stage::Stage,
    story::{Cast, PASSWORD, missing},
};
use crate::{
    cli::Failure,
    domain::{
        Result,
        identity::api_key::{self, NewApiKey},
        list::{problem, saved_filter},
        rotation::feed,
    },
    graphql::id,
};

/// Name of the file for scripts.
pub const FILE: &str = "demo.json";
/// How long the dashboard key lasts.
const KEY_DAYS: i64 = 365;

/// Who is shown on the terminal, what they are, and a query to begin with; `<name>` stands for an id of that name.
pub type Part = (&'static str, &'static str, &'static str);

/// Those of Xihai's story.
const PARTS: &[Part] = &[
    (
        "admin",
        "平台管理员 platform administrator",
        "{ alliances { totalCount nodes { name region { name } } } }",
    ),
    (
        "committee",
        "镇党委 town committee: 轮值与公平性 the rotation and its fairness",
        "{ rotationPlan(id: \"<plan>\") { name fairnessReport { spread } slots { number startsOn state team { name } } } }",
    ),
    (
        "committee",
        "督办 supervision: 期限、超期与督办单 the town's limits, what passed them, and what the unit answered",
        "{ alliance(id: \"<alliance>\") { deadlinePolicy { rules { clock severity tier amount unit } } } problem(id: \"<supervisedProblem>\") { number title breaches { clock dueAt } supervisionNotices { number name demand answer } } }",
    ),
    (
        "committee",
        "延期与回访 more time and follow-up: 一准一驳 one request granted, one refused; 走访 a visit; 三次未接 three calls in vain",
        "{ more: problem(id: \"<extendedProblem>\") { number dueOn extensions { state reason grantedUntil decision } deadlineMoves { clock dueBefore dueAfter cause } } visited: problem(id: \"<visitedProblem>\") { number followUps { kind state solved satisfied words } } unreachable: problem(id: \"<unreachableProblem>\") { number followUps { kind state tries } } }",
    ),
    (
        "approver",
        "审批人 approver: 待销号问题 what waits to be struck off",
        "{ problems(filter: { allianceId: \"<alliance>\", states: [VERIFIED] }) { totalCount nodes { id number title verdict } } }",
    ),
    (
        "approver",
        "销号证明 the certificate of a strike-off, which `concord verify --certificate` checks offline",
        "{ problem(id: \"<certifiedProblem>\") { number title returnedCount verdict } strikeOffCertificate(problemId: \"<certifiedProblem>\") }",
    ),
    (
        "manager",
        "成员单位管理员 member manager: 本单位未结事项 what is open at our unit",
        "{ problems(filter: { mine: true, open: true }) { totalCount facets { states { state count } } nodes { number title state dueOn } } }",
    ),
    (
        "staff",
        "成员单位经办人 member staff: 收件箱 the inbox",
        "{ inbox(first: 5) { unreadCount nodes { kind createdAt event { kind } } } }",
    ),
    (
        "officer",
        "社区干部 community officer: 本社区问题 problems of the community",
        "{ problems(filter: { regionId: \"<community>\" }) { totalCount nodes { number title state place } } }",
    ),
    (
        "grid",
        "网格员 grid officer: 一件问题的办理 one problem's way",
        "{ problem(id: \"<problem>\") { number title state measures criterion leadOrganization { name } evidence { stage note } } }",
    ),
    (
        "verifier",
        "核验人 verifier: 待核验问题 what waits to be verified",
        "{ problems(filter: { allianceId: \"<alliance>\", states: [SUBMITTED] }) { nodes { id number title criterion } } }",
    ),
    (
        "observer",
        "观察员 observer: 成员与当月任务 members and the month's tasks",
        "{ alliance(id: \"<alliance>\") { members(first: 3) { totalCount } } taskList(id: \"<taskList>\") { title } }",
    ),
    (
        "county",
        "县级督导 county supervisor: 下辖联盟 the alliances below",
        "{ alliance(id: \"<countyAlliance>\") { name children { nodes { name members(first: 1) { totalCount } } } } statistics(input: { of: { allianceId: \"<countyAlliance>\" }, from: \"2025-01-01\", to: \"2029-12-31\" }) { allianceCount period { open overdue struckOff onTimeRate { numerator denominator } handlingTime { medianSeconds } } } }",
    ),
    (
        "county",
        "提级办理 what the town handed up: 两级签批销号与退回 struck off with two sign-offs, or handed back",
        "{ problems(filter: { allianceId: \"<countyAlliance>\" }) { nodes { number title state reason signOffs { person { name } } origin { state linkedProblem { number state } } } } }",
    ),
    (
        "beijing",
        "北京街道 a subdistrict of Beijing: 吹哨报到 whistles and who reported in",
        "{ whistles(filter: { allianceId: \"<beijingAlliance>\" }) { nodes { number kind title state refusedCount responses { organization { name } state reportInDueAt } } } }",
    ),
    (
        "nanyang",
        "南阳三网融合 Nanyang: 一处三网 who is responsible at one place",
        "{ gridOverlay(allianceId: \"<nanyangAlliance>\", regionId: \"<nanyangBuilding>\") { networks { kind isHole cells { cell { code name level category } officers { role person { name phone } alsoHolds { role } } } } } }",
    ),
    (
        "weihai",
        "威海海上党建 Weihai: 船队与合作社党支部 branches at sea and their members",
        "{ alliance(id: \"<weihaiAlliance>\") { partyBranchCounts { branches groups afloat members } partyBranches(filter: { afloat: true }, first: 3) { nodes { name membersBelow hosts { kind name } } } } }",
    ),
    (
        "leping",
        "乐平快递小哥党支部 Leping: 企业与市场的两个覆盖 enterprises and markets, and what covers each",
        "{ alliance(id: \"<lepingAlliance>\") { partyBranches(filter: { kind: BRANCH }) { nodes { name memberCount hosts { kind name organization { name } } } } branchCoverage { enterprises: figures(kind: ENTERPRISE) { total organizationCovered workCovered } markets: figures(kind: MARKET) { total organizationCovered workCovered places { nodes { name by } } } } } }",
    ),
    (
        "shiyan",
        "十堰小区党支部 Shiyan: 小区的两个覆盖 compounds, and what covers each",
        "{ alliance(id: \"<shiyanAlliance>\") { branchCoverage { figures(kind: COMPOUND) { total own joint temporary instructor uncovered organizationCovered workCovered places { nodes { name by } } } } } }",
    ),
    (
        "neighbour",
        "邻镇 the neighbouring town: 看不到西海镇 sees nothing of Xihai",
        "{ alliance(id: \"<alliance>\") { name } problems { totalCount nodes { number title } } }",
    ),
];
/// What a dashboard asks for.
const DASHBOARD: &str = "{ alliance(id: \"<alliance>\") { name members(first: 1) { totalCount } } \
                         problems(filter: { allianceId: \"<alliance>\", open: true }) { totalCount } }";

/// Everything a script needs to use the demo.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Handout {
    /// Whether the demo was told to its end; one that was not is told afresh.
    pub complete: bool,
    /// Which story it tells.
    #[serde(default)]
    pub story: Which,
    /// When its story ends.
    pub told_at: DateTime<Utc>,
    /// Where it is served.
    pub url: String,
    /// Accounts by the name of their part.
    pub accounts: BTreeMap<String, Account>,
    /// A read-only key of the town's dashboard.
    pub dashboard_key: String,
    /// Path of the rotation's calendar.
    pub calendar_feed: String,
    /// Number of the problem whose certificate is worth a look; its id is `certifiedProblem`.
    #[serde(default)]
    pub certified_number: String,
    /// Global ids of the main objects.
    pub ids: BTreeMap<String, String>,
}

/// Somebody who can sign in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    pub id: String,
    pub username: String,
    pub password: String,
    pub display_name: String,
    /// Role in the alliance, as the schema names it; absent for the platform's administrator.
    pub role: Option<String>,
    /// Unit the person acts for.
    pub unit: Option<String>,
}

/// Makes the key and the calendar's address, and gathers the rest. The clock still stands at the end of the story.
pub async fn gather(stage: &Stage, cast: &Cast) -> Result<Handout> {
    // What a clerk looks at every morning, kept under a name.
    let clerk = cast.people.get("committee").ok_or_else(|| missing("the committee"))?.id;
    let late = r#"{"overdueByDays":3}"#.to_owned();
    saved_filter::save(&stage.hand(clerk), Noun::Problem, "逾期三天以上", late).await?;
    stage.draw_secrets();
    let town = *cast.alliances.get("town").ok_or_else(|| missing("the town"))?;
    let committee = cast.people.get("committee").ok_or_else(|| missing("the committee"))?.id;
    let committee = stage.hand(committee);
    let new = NewApiKey {
        name: "西海镇数据大屏".to_owned(),
        alliances: vec![town],
        expires_at: stage.now() + TimeDelta::days(KEY_DAYS),
        documents: None,
    };
    let (_, dashboard_key) = api_key::create(&committee, new).await?;
    let plan = cast.plan.ok_or_else(|| missing("the plan"))?;
    let calendar_feed = feed::create(&committee, plan).await?.path;
    let certified = cast.problems.first(Fate::StruckOffAfterReturn).ok_or_else(|| missing("a strike-off"))?;
    let certified = problem::find(&committee, certified).await?.ok_or_else(|| missing("a strike-off"))?;
    Ok(Handout {
        complete: true,
        story: Which::Xihai,
        told_at: stage.now(),
        url: String::new(),
        accounts: accounts(cast),
        dashboard_key,
        calendar_feed,
        certified_number: certified.number,
        ids: ids(cast),
    })
}

/// Everybody of a story who can sign in.
pub fn accounts(cast: &Cast) -> BTreeMap<String, Account> {
    cast.people
        .iter()
        .map(|(part, person)| {
            let account = Account {
                id: text(person.id),
                username: person.username.clone(),
                password: PASSWORD.to_owned(),
                display_name: person.display_name.clone(),
                role: person.role.map(|role| role.to_value().to_ascii_uppercase()),
                unit: person.unit.clone(),
            };
            ((*part).to_owned(), account)
        })
        .collect()
}

fn ids(cast: &Cast) -> BTreeMap<String, String> {
    let current = MONTHS_BEHIND + 1;
    let alliance = |part: &str| cast.alliances.get(part).copied().map(text);
    let slot = cast.slots.get(&current);
    let problem = |fate| cast.problems.first(fate).map(text);
    let found = [
        ("alliance", alliance("town")),
        ("countyAlliance", alliance("county")),
        ("prefectureAlliance", alliance("prefecture")),
        ("neighbourAlliance", alliance("neighbour")),
        ("organization", cast.units.get(SHOWN).copied().map(text)),
        ("community", cast.communities.first().copied().map(text)),
        ("plan", cast.plan.map(text)),
        ("currentSlot", slot.map(|slot| text(slot.id))),
        ("team", slot.and_then(|slot| cast.teams.get(slot.team)).copied().map(text)),
        ("swap", cast.swap.map(text)),
        ("taskList", cast.tasks.lists.get(&current).copied().map(text)),
        ("task", cast.tasks.in_progress().map(text)),
        ("problem", cast.problems.in_progress().map(text)),
        ("certifiedProblem", problem(Fate::StruckOffAfterReturn)),
        ("extendedProblem", problem(Fate::Extended)),
        ("resumedProblem", problem(Fate::Resumed)),
        ("supervisedProblem", problem(Fate::Supervised)),
        ("jointProblem", problem(Fate::PartDeclined)),
        ("linkedProblem", problem(Fate::FollowedUpByLink)),
        ("visitedProblem", problem(Fate::FollowedUpByVisit)),
        ("unreachableProblem", problem(Fate::Unreachable)),
        ("resolvedProblem", problem(Fate::ResolvedAbove)),
        ("returnedProblem", problem(Fate::ReturnedAbove)),
        ("beijingAlliance", cast.whistles.alliance.map(text)),
        ("whistle", cast.whistles.whistle.map(text)),
        ("weihaiAlliance", alliance("weihai")),
        ("lepingAlliance", alliance("leping")),
        ("shiyanAlliance", alliance("shiyan")),
        ("nanyangAlliance", alliance("nanyang")),
        ("nanyangBuilding", cast.grids.building.map(text)),
        ("neighbourProblem", cast.problems.neighbour.map(text)),
    ];
    found.into_iter().filter_map(|(name, id)| Some((name.to_owned(), id?))).collect()
}

/// An id as clients know it.
pub fn text<I: TypedId>(id: I) -> String {
    let ID(text) = id::encode(id);
    text
}

impl Handout {
    /// Reads the file of a folder, if it is there.
    pub fn read(folder: &Path) -> std::result::Result<Option<Self>, Failure> {
        let path = folder.join(FILE);
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Failure::wrong(format!("{}: {error}", path.display()))),
        };
        serde_json::from_slice(&text).map(Some).map_err(|error| {
            Failure::wrong(format!("{}: {error}; start afresh with --fresh", path.display()))
        })
    }

    /// Writes the file, readable by its owner only.
    pub fn write(&self, folder: &Path) -> std::result::Result<(), Failure> {
        let path = folder.join(FILE);
        let fault = |error: &dyn std::fmt::Display| Failure::wrong(format!("{}: {error}", path.display()));
        let text = serde_json::to_vec_pretty(self).map_err(|error| fault(&error))?;
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(|error| fault(&error))?;
        std::io::Write::write_all(&mut file, &text).map_err(|error| fault(&error))?;
        file.persist(&path).map_err(|error| fault(&error))?;
        Ok(())
    }

    /// Names the address it is served at.
    pub fn serve_at(&mut self, listen: SocketAddr) {
        self.url = format!("http://{listen}/graphql");
    }

    /// What stands on the terminal.
    pub fn terminal(&self) -> String {
        let mut page = String::new();
        let origin = self.url.trim_end_matches("/graphql");
        let mut line = |text: String| writeln!(page, "{text}").expect("writing to a string does not fail");
        line(match self.story {
            Which::Xihai => "西海镇演示已就绪  The Xihai demo is ready".to_owned(),
            Which::City => "佳木斯市演示已就绪  The demo of Jiamusi is ready".to_owned(),
        });
        line(format!("  GraphQL      {}", self.url));
        line(format!("  GraphiQL     {origin}/graphiql"));
        if !self.calendar_feed.is_empty() {
            line(format!("  日历 iCal    {origin}{}", self.calendar_feed));
        }
        if let Some(alliance) = self.ids.get("alliance") {
            let year = self.told_at.year();
            line(format!("  台账 ledgers {origin}/ledgers/problems.csv?allianceId={alliance}&year={year}"));
        }
        if let Some(problem) = self.ids.get("certifiedProblem") {
            let number = &self.certified_number;
            line(format!("  证明 certificate {origin}/certificates/{problem}.pdf   {number}"));
        }
        line(format!("  大屏密钥 dashboard key    {}", self.dashboard_key));
        line(format!(
            "  故事截止 the story ends at {}   重新开始 start afresh: --fresh",
            self.told_at.format("%F %T UTC")
        ));
        line(String::new());
        line(format!("所有账户的密码 password of every account: {PASSWORD}"));
        for (part, what, query) in self.parts() {
            let Some(account) = self.accounts.get(*part) else { continue };
            let unit = account.unit.as_deref().map(|unit| format!("（{unit}）")).unwrap_or_default();
            line(String::new());
            line(format!("# {} {}{unit}  {what}", account.username, account.display_name));
            line(paste(&self.url, &account.username, &self.filled(query)));
        }
        line(String::new());
        line("# 大屏只读密钥 the dashboard's read-only key".to_owned());
        line(format!(
            "curl -s {} -H 'Content-Type: application/json' -H 'Authorization: Bearer {}' -d '{}'",
            self.url,
            self.dashboard_key,
            body(&self.filled(self.dashboard())),
        ));
        if self.story == Which::City {
            line(String::new());
            line(city::WATCH.to_owned());
            line(format!(
                "curl -sN {} -H 'Content-Type: application/json' -H 'Accept: text/event-stream' -H 'Authorization: Bearer {}' -d '{}'",
                self.url,
                self.dashboard_key,
                body(&self.filled(city::BOARD)),
            ));
        }
        page
    }

    fn parts(&self) -> &'static [Part] {
        match self.story {
            Which::Xihai => PARTS,
            Which::City => city::PARTS,
        }
    }

    fn dashboard(&self) -> &'static str {
        match self.story {
            Which::Xihai => DASHBOARD,
            Which::City => city::DASHBOARD,
        }
    }

    /// The queries that stand on the terminal with the ids they ask for, each under the part that asks it.
    pub fn queries(&self) -> Vec<(&'static str, String)> {
        self.parts()
            .iter()
            .map(|(part, _, query)| (*part, *query))
            .chain([("dashboard", self.dashboard())])
            .map(|(part, query)| (part, self.filled(query)))
            .collect()
    }

    /// A query with the ids in the place of their names.
    fn filled(&self, query: &str) -> String {
        self.ids.iter().fold(query.to_owned(), |query, (name, id)| query.replace(&format!("<{name}>"), id))
    }
}

/// Signs in and asks, in one line that a shell takes as it is.
fn paste(url: &str, username: &str, query: &str) -> String {
    let sign_in = format!(
        "mutation {{ signIn(input: {{ username: \"{username}\", password: \"{PASSWORD}\" }}) {{ tokens {{ accessToken }} }} }}"
    );
    let post = format!("curl -s {url} -H 'Content-Type: application/json'");
    format!(
        "TOKEN=$({post} -d '{}' | sed 's/.*\"accessToken\":\"\\([^\"]*\\)\".*/\\1/'); {post} -H \"Authorization: Bearer $TOKEN\" -d '{}'",
        body(&sign_in),
        body(query),
    )
}

fn body(query: &str) -> String {
    serde_json::json!({ "query": query }).to_string()
}
