//! The commands as an operator and scripts meet them: the built program, its exit codes, what it says.

use std::{collections::BTreeSet, path::Path, process::Output, time::Duration};

use concord::{
    domain::identity::signing::{Algorithm, KeyRing},
    graphql::id,
};
use concord_entities::problem::State;
use concord_tests::{
    Server, TestApp, World,
    database::{self, Home},
    process::{Program, Served, root},
};
use serde_json::json;

use crate::{
    certificate_print::{fetch as download, print, vouched},
    page::{self, OPERATING, README, Runner},
    problem::{count, problem_in},
    rotation::Town,
};

/// How long the program may take to tell others what it did.
const PATIENCE: Duration = Duration::from_secs(20);

/// An operator: a folder, a database of its own and a shell.
struct Operator {
    program: Program,
    home: Home,
}

impl Operator {
    async fn new() -> Self {
        Self::at(database::empty().await)
    }

    fn at(home: Home) -> Self {
        Self { program: Program::new(env!("CARGO_BIN_EXE_concord-under-test")), home }
    }

    /// The data folder's path.
    fn data(&self) -> String {
        self.home.directory.path().join("data").display().to_string()
    }

    /// Runs a script at the root of the checkout; `@data` stands for the option that names the data folder.
    fn run(&self, script: &str) -> Output {
        let script = script.replace("@data", &format!("--data {}", self.data()));
        self.program.shell(&script, &self.home.settings())
    }

    fn code(&self, script: &str) -> Option<i32> {
        self.run(script).status.code()
    }

    /// Runs what has to succeed and gives what it said.
    fn done(&self, script: &str) -> String {
        let output = self.run(script);
        let said = words(&output);
        assert!(output.status.success(), "{script}\n{:?}\n{said}", output.status);
        said
    }
}

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test]
async fn the_commands_of_the_readme_run_it_for_real() {
    let operator = Operator::new().await;
    for block in page::blocks_of(README, Runner::Installation) {
        let script = block
            .text
            .replace("/var/lib/concord", &operator.data())
            .replace("$PASSWORD", "a long first password")
            .replace("REGISTER", "api/src/cli/demo/regions");
        let (commands, serve) = script.rsplit_once("concord ").expect("commands");
        operator.done(commands);
        let arguments: Vec<&str> = serve.split_whitespace().collect();
        let served = Served::start(&operator.program, &arguments, &operator.home.settings()).await;
        let sdl = reqwest::get(format!("{}/schema.graphql", served.url)).await.expect("an answer");
        assert!(sdl.text().await.expect("a text").contains("type Query"));
    }
}

/// The page's `sudo` without rights: what systemd would start is started here.
const SUDO: &str = r#"
sudo() {
    if [ "$1" = systemd-run ]; then
        while [ "$1" != /usr/local/bin/concord ]; do shift; done
        shift
        concord "$@"
    else
        "$@"
    fi
}
"#;

#[tokio::test]
async fn the_commands_of_the_operating_page_run_on_an_installation() {
    let operator = Operator::new().await;
    let place = operator.home.directory.path();
    let backups = place.join("backups");
    std::fs::create_dir(&backups).expect("a folder");
    // What the installed service has done when it has started once.
    operator.done("concord migrate @data && concord keys rotate @data");
    let blocks = page::blocks_of(OPERATING, Runner::Operator);
    let defines = |text: &str| text[..text.find("\n}\n").expect("a function") + 3].to_owned();
    let function = defines(&blocks[0].text);
    let elsewhere = database::empty().await;
    let another = elsewhere.option();
    let mut said = String::new();
    for block in &blocks {
        let text = block.text.replace(&function, "");
        // Where the page says that PostgreSQL is restored into another database, it is.
        let text = text.lines().map(|line| match line.split_once("  #") {
            Some((command, remark)) if remark.contains("--database-url") => format!("{command} {another}\n"),
            _ => format!("{line}\n"),
        });
        let script = format!("{SUDO}{function}cd {}\n{}", place.display(), text.collect::<String>())
            .replace("/var/lib/concord", &operator.data())
            .replace("/var/backups", &backups.display().to_string())
            .replace("2026-11-26", "$(date +%F)");
        if block.text.contains("/checkpoints") {
            serve_until_a_checkpoint(&operator).await;
        }
        // The first account's password is typed in.
        said.push_str(&operator.done(&format!("exec <<<'a long first password'\n{script}")));
        if !place.join("keys-kept-elsewhere").exists() {
            operator.done(&format!("cp -r {}/keys {}/keys-kept-elsewhere", operator.data(), place.display()));
        }
    }
    for word in ["up to date", "root is a platform administrator", "hold together", "equal a recount"] {
        assert!(said.contains(word), "{word}: {said}");
    }
    assert!(!said.contains("WRONG"), "{said}");
    // The restored place is whole, and signs with the keys that were kept.
    let restored = format!("--data {}/restored {another}", place.display());
    operator.done(&format!("concord verify {restored} && concord check {restored}"));
    assert_eq!(
        operator.done(&format!("concord keys list {restored}")),
        operator.done("concord keys list @data")
    );
    settings_of_the_page_hold(&operator);
    commands_named_in_the_text(&operator, &backups).await;
}

/// Runs the service until it has signed for what the commands before it recorded.
async fn serve_until_a_checkpoint(operator: &Operator) {
    let data = operator.data();
    let arguments = ["serve", "--data", &data];
    let _served = Served::start(&operator.program, &arguments, &operator.home.settings()).await;
    let (folder, begun) = (Path::new(&data).join("checkpoints"), std::time::Instant::now());
    while std::fs::read_dir(&folder).map_or(0, Iterator::count) == 0 {
        assert!(begun.elapsed() < PATIENCE, "no checkpoint is made");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The settings of the page, one to a line as systemd reads them.
fn settings_of_the_page_hold(operator: &Operator) {
    for block in page::blocks_of(OPERATING, Runner::Settings) {
        let mut settings = Vec::new();
        for line in block.text.lines() {
            let (name, value) = line.split_once('=').expect("NAME=VALUE");
            settings.push((name, value));
        }
        let example = settings.iter().position(|(name, _)| *name == "CONCORD__DATABASE__URL");
        settings.swap_remove(example.expect("the page names a database"));
        settings.extend(operator.home.settings());
        let output = operator.program.shell(&format!("concord check --data {}", operator.data()), &settings);
        assert!(output.status.success(), "{}", words(&output));
        settings.push(("CONCORD__LOG__COLOUR", "red"));
        let output = operator.program.shell("concord check", &settings);
        assert_eq!(output.status.code(), Some(2), "an unknown key: {}", words(&output));
    }
}

/// Every command between backticks on any page, run as it stands; words in capitals stand for the operator's own.
async fn commands_named_in_the_text(operator: &Operator, backups: &Path) {
    let place = operator.home.directory.path().display();
    let mut backup = std::fs::read_dir(backups).expect("a folder").map(|entry| entry.expect("its name"));
    // Checkpoints lie beside it.
    let backup = backup.find(|entry| entry.path().join("manifest.json").exists()).expect("a backup");
    let elsewhere = database::empty().await;
    let mut named = BTreeSet::new();
    for page in page::pages() {
        let text = page::read(&page);
        let spans = text.split('`').filter(|span| span.starts_with("concord ") && !span.contains('\n'));
        named.extend(spans.map(str::to_owned));
    }
    assert!(named.len() > 8, "{named:?}");
    for command in &named {
        let words: Vec<&str> = command.split(' ').skip(1).collect();
        let script = match words.as_slice() {
            // Runs until it is stopped; `Served` does that.
            ["serve" | "demo", ..] => continue,
            ["restore", "DIR"] => format!(
                "concord restore {} --data {place}/again {}",
                backup.path().display(),
                elsewhere.option()
            ),
            ["backup", "DIR"] => format!("concord backup {place}/another @data"),
            ["keys", "retire", "KID"] => {
                operator.done("concord keys rotate @data");
                let listed = operator.done("concord keys list @data");
                let old = listed.lines().find(|line| line.ends_with("verifies")).expect("an older key");
                format!("concord keys retire {} @data", old.split(' ').next().expect("its name"))
            }
            ["migrate", "--database-url", "URL"] => {
                format!("{} @data", command.replace("URL", operator.home.url.reveal()))
            }
            ["import", "ledger" | "tasks" | "rotation", ..] => {
                a_ledger_comes_in(command).await;
                continue;
            }
            ["verify", "--certificate", ..] => {
                a_certificate_holds(command).await;
                continue;
            }
            _ => format!("{command} @data"),
        };
        operator.done(&script);
    }
    let listed = operator.done("concord keys list @data");
    for (state, keys) in [("signs", 1), ("retired", 1)] {
        assert_eq!(listed.matches(state).count(), keys, "{state}: {listed}");
    }
}

#[tokio::test]
async fn exit_codes_tell_scripts_what_happened() {
    let operator = Operator::new().await;
    let code = |script: &str| operator.code(script);
    assert_eq!(code("concord check @data"), Some(1), "there is nothing yet");
    assert_eq!(code("concord verify --data /dev/null/x"), Some(1), "no folder can be there");
    assert_eq!(code("concord migrate @data && concord check @data"), Some(0));
    assert_eq!(code("concord admin create --username root @data </dev/null"), Some(2), "no password");
    assert_eq!(code("echo short | concord admin create --username root @data"), Some(1));
    assert_eq!(code("echo a long first password | concord admin create --username root @data"), Some(0));
    assert_eq!(code("echo a long first password | concord admin create --username root @data"), Some(1));
    assert_eq!(code("concord admin create @data </dev/null"), Some(2), "without a name");
    assert_eq!(code("concord keys retire nobody @data"), Some(1));
    assert_eq!(code("concord backup tests @data"), Some(2), "a folder that holds something");
    assert_eq!(code("concord restore tests --data /tmp"), Some(2), "a data folder that holds something");
    assert_eq!(code("concord wash"), Some(2));
    assert_eq!(code("concord import wash @data"), Some(2));
    assert_eq!(code("concord import regions api/src/cli/demo/regions --dry-run @data"), Some(0));
    assert_eq!(code("concord import regions api/src/cli/demo/regions @data"), Some(0));
    assert_eq!(code("concord import regions docs @data"), Some(1), "no register there");
    assert_eq!(code("concord import calendar api/src/domain/calendar/holidays-cn.csv @data"), Some(0));
    assert_eq!(code("concord import members docs/examples/town --alliance 没有 @data"), Some(2));
    assert_eq!(
        code("concord import tasks README.md --alliance 没有 --month soon @data"),
        Some(2),
        "no month"
    );
    assert_eq!(code("concord verify @data"), Some(0));
    assert_eq!(code("CONCORD__DATABASE__MAX_CONNECTIONS=0 concord serve @data"), Some(2));
    assert_eq!(code("CONCORD__HTTP__HEARTBEAT_MS=0 concord check @data"), Some(1));
    let bad = operator.home.directory.path().join("bad.csv");
    std::fs::write(&bad, "date,name,kind\n2026-13-40,x,off\n").expect("a file");
    assert_eq!(code(&format!("concord import calendar {} @data", bad.display())), Some(1), "a bad row");
    let schema = operator.run("concord schema");
    assert!(schema.status.success());
    let committed = std::fs::read(root().join("schema.graphql")).expect("the schema");
    assert!(schema.stdout == committed, "`concord schema` prints what is committed");
    for command in [
        "serve", "demo", "migrate", "import", "admin", "keys", "check", "schema", "backup", "restore",
        "verify",
    ] {
        assert_eq!(code(&format!("concord {command} --help")), Some(0), "{command}");
    }
}

#[tokio::test]
async fn an_older_database_is_told_from_checkpoints_kept_elsewhere() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    app.run_background().await;
    let operator = Operator::at(app.close().await);
    let place = operator.home.directory.path().display().to_string();
    operator.done(&format!("concord backup {place}/older --data {place}"));
    // The town goes on; the files of its checkpoints are copied elsewhere.
    let Operator { program, home } = operator;
    let app = TestApp::on(home).await;
    app.advance(chrono::TimeDelta::minutes(5));
    let more = concord::domain::identity::seat::NewSeat {
        account_id: world.stranger,
        alliance_id: world.town,
        role: concord_entities::seat::Role::Observer,
        organization_id: None,
        region_id: None,
    };
    concord::domain::identity::seat::grant(&app.system(), more).await.expect("a seat");
    app.run_background().await;
    let operator = Operator { program, home: app.close().await };
    let verify = |data: &str, option: &str, copy: &str| {
        let output = operator.run(&format!("concord verify --data {data} {option} --checkpoints {copy}"));
        (output.status.code(), words(&output))
    };
    let own = operator.home.option();
    let (code, said) = verify(&place, &own, &format!("{place}/older/checkpoints"));
    assert_eq!(code, Some(0), "older checkpoints still hold: {said}");
    assert!(said.contains("hold together (0 erased), as 2 checkpoints say"), "{said}");
    // The older database, without its keys: what they signed is still known.
    let elsewhere = database::empty().await;
    let another = elsewhere.option();
    let restored = format!("{place}/restored");
    let said = operator.done(&format!("concord restore {place}/older --data {restored} {another}"));
    assert!(said.contains("as 1 checkpoints say"), "{said}");
    let keys = operator.done(&format!("concord keys list --data {restored}"));
    assert_eq!((keys.matches("retired").count(), keys.matches("signs").count()), (1, 1), "{keys}");
    for copy in [format!("{place}/checkpoints"), format!("{place}/checkpoints/2026-01.jsonl")] {
        let (code, said) = verify(&restored, &another, &copy);
        assert_eq!(code, Some(1), "{said}");
        let told = said.contains(&format!("the chain {} breaks at position ", world.town))
            && said.contains(": links are missing after it: line 2 of ");
        assert!(told, "{said}");
    }
    let (code, _) = verify(&restored, &another, &format!("{place}/older/checkpoints"));
    assert_eq!(code, Some(0));
    assert_eq!(verify(&restored, &another, "/nowhere").0, Some(1), "a copy that is not there");
    let empty = format!("{place}/empty");
    std::fs::create_dir(&empty).expect("a folder");
    let (code, said) = verify(&restored, &another, &empty);
    assert!(code == Some(1) && said.contains("holds no checkpoint"), "{code:?} {said}");
}

/// Brings a ledger in, by the command that a page names.
async fn a_ledger_comes_in(command: &str) {
    let app = TestApp::new().await;
    Town::build(&app, "632223", 1).await;
    let operator = Operator::at(app.close().await);
    let place = operator.home.directory.path();
    let rows = match command.split(' ').nth(2) {
        Some("tasks") => {
            "任务名称,工作内容,牵头单位,开始/完成时限\n清淤,清理河道,成员单位1-632223,2026-02-20\n"
        }
        // The program goes by the clock of the machine; this month is still to come.
        Some("rotation") => "月份(起止),服务队\n2099年1月,第1服务队\n",
        _ => "编号,登记日期,类别,问题描述\n1,2026-01-02,道路,坑洼\n",
    };
    let file = place.join("ledger.csv");
    std::fs::write(&file, rows).expect("a file");
    let command = command.replace("NAME", "西海镇联盟").replace("YYYY-MM", "2026-02");
    let command = command.replace("FILE", &file.display().to_string());
    let said = operator.done(&format!("{command} --data {}", place.display()));
    assert!(said.contains("concord: 1 imported, 0 updated, 0 unchanged, 0 left, 0 refused"), "{said}");
}

/// Checks a certificate and the published keys, as files of the names that a page gives them.
async fn a_certificate_holds(command: &str) {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = problem_in(&app, &world, State::StruckOff).await;
    vouched(&app).await;
    // Without its font the program gives the document alone, which is checked by the same command.
    let file = match print(&app, world.staff, &row).await {
        Some(file) => file,
        None => download(&app, world.staff, &row, "json").await.body,
    };
    let operator = Operator::new().await;
    let place = operator.home.directory.path();
    std::fs::write(place.join("certificate.pdf"), file).expect("a certificate");
    std::fs::write(place.join("jwks.json"), app.app.identity.keys.jwks().to_string()).expect("the keys");
    let said = operator.done(&format!("cd {} && {command}", place.display()));
    assert!(said.contains(&row.number), "{said}");
}

/// The certificate as the product serves it, and the key set as it publishes it, brought to a machine that has neither the
/// platform nor its data.
#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_checked_by_whoever_has_the_published_keys() {
    let app = TestApp::new().await;
    let world = World::build(&app, "632223").await;
    let row = problem_in(&app, &world, State::StruckOff).await;
    app.advance(chrono::TimeDelta::minutes(2));
    app.run_background().await;
    app.give_password(world.committee, "correct horse battery").await;
    let token = app.sign_in("committee.632223", "correct horse battery").await.access_token;
    let server = Server::start(app.app.clone());
    let fetch = async |path: &str| {
        let reply = server.http.get(server.url(path)).bearer_auth(&token).send().await.expect("an answer");
        assert_eq!(reply.status(), 200, "{path}");
        reply.text().await.expect("a text")
    };
    let document = fetch(&format!("/certificates/{}.json", id::encode(row.id).as_str())).await;
    let published = fetch("/.well-known/jwks.json").await;
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path.display().to_string()
    };
    let program = Program::new(env!("CARGO_BIN_EXE_concord-under-test"));
    // There is no database, and no folder for one.
    let verify = |certificate: &str, keys: &str| {
        let options = format!("--certificate {certificate} --keys {keys} --data /dev/null/x");
        let output = program.shell(&format!("concord verify {options}"), &[]);
        (output.status.code(), words(&output))
    };
    let (whole, keys) = (write("certificate.json", &document), write("jwks.json", &published));
    let (code, said) = verify(&whole, &keys);
    assert_eq!(code, Some(0), "{said}");
    let expected = format!("concord: {} was struck off at 2026-01-05T01:00:00", row.number);
    assert!(said.contains(&expected) && said.contains("by approver, after 1 pieces of evidence"), "{said}");
    // Its number, the digest of its evidence, its round.
    let digest =
        document.split("\"sha256\":\"").nth(1).expect("a digest").split('"').next().expect("a digest");
    let turned: String = digest.chars().rev().collect();
    for changed in [
        document.replace("0001号", "0002号"),
        document.replace(digest, &turned),
        document.replacen(r#""round":1"#, r#""round":2"#, 1),
    ] {
        assert_ne!(changed, document);
        let (code, said) = verify(&write("changed.json", &changed), &keys);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("changed.json: ") && !said.contains("was struck off"), "{said}");
    }
    // Somebody else's keys, none, and files that are not there.
    let (elsewhere, now) = (folder.path().join("keys"), app.app.now());
    let ring = KeyRing::open(&elsewhere, Algorithm::EdDsa, now, &|bytes| bytes.fill(7)).expect("another key");
    let foreign = write("foreign.json", &ring.jwks().to_string());
    for keys in [foreign, write("none.json", r#"{"keys":[]}"#), "/nowhere".to_owned()] {
        assert_eq!(verify(&whole, &keys).0, Some(1), "{keys}");
    }
    assert_eq!(verify("/nowhere", &keys).0, Some(1));
    let alone = program.shell(&format!("concord verify --certificate {whole}"), &[]);
    assert_eq!(alone.status.code(), Some(2), "without keys it says nothing: {}", words(&alone));
}

/// A town, closed, so that the program can work on its database.
async fn town() -> (Operator, String) {
    let app = TestApp::new().await;
    World::build(&app, "632223").await;
    let home = app.close().await;
    let data = home.directory.path().display().to_string();
    (Operator::at(home), format!("--alliance 西海镇联盟 --data {data}"))
}

#[tokio::test]
async fn a_bad_row_of_a_file_of_problems_does_not_stop_the_others() {
    let (operator, town) = town().await;
    let header = "unique_key,created_date,agency,agency_name,complaint_type,descriptor,incident_zip,\
        intersection_street_1,intersection_street_2,status,resolution_description,borough,open_data_channel_type,\
        incident_address,street_name,cross_street_1,cross_street_2,location_type,closed_date";
    let row = |key: &str, status: &str, created: &str| {
        format!(
            "{key},{created},DOT,Transportation,Street,Pothole,1,,,{status},,QUEENS,PHONE,1 MAIN STREET,,,,,"
        )
    };
    let (file, good) = (operator.home.directory.path().join("requests.csv"), "2024-05-27T02:08:51.000");
    let write = |rows: &[String]| {
        std::fs::write(&file, format!("{header}\n{}\n", rows.join("\n"))).expect("a file");
    };
    let import = |options: &str| {
        let output = operator.run(&format!(
            "concord import problems {} --mapping docs/examples/nyc311.toml {town} {options}",
            file.display()
        ));
        (output.status.code(), words(&output))
    };
    let (one, lost, yesterday, two) = (
        row("1", "Open", good),
        row("2", "Lost", good),
        row("3", "Open", "yesterday"),
        row("4", "Closed", good),
    );
    write(&[one.clone(), lost, yesterday, two.clone()]);
    let (code, said) = import("--dry-run");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("would be: 2 imported, 0 updated, 0 unchanged, 0 left, 2 refused"), "{said}");
    let (code, said) = import("");
    assert_eq!(code, Some(1), "{said}");
    for told in [
        "requests.csv:3:10: The value is not of the expected form",
        "requests.csv:4:2: The value is not of the expected form",
        "[MALFORMED]",
        "concord: 2 imported, 0 updated, 0 unchanged, 0 left, 2 refused",
        "concord: some rows were refused",
    ] {
        assert!(said.contains(told), "{told}: {said}");
    }
    // Mended, only what was refused is new; again, nothing is.
    write(&[one, row("2", "Open", good), row("3", "Open", good), two]);
    for counts in [
        "2 imported, 0 updated, 2 unchanged, 0 left, 0 refused",
        "0 imported, 0 updated, 4 unchanged, 0 left, 0 refused",
    ] {
        let (code, said) = import("");
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains(counts), "{said}");
    }
    std::fs::write(&file, "a,b\n1,2\n").expect("a file");
    assert_eq!(import("").0, Some(1), "columns that the mapping does not know");
    std::fs::remove_file(&file).expect("it was there");
    assert_eq!(import("").0, Some(1), "no file");
    assert_eq!(
        operator.code(&format!("concord verify --data {}", operator.home.directory.path().display())),
        Some(0)
    );
    let app = TestApp::on(operator.home).await;
    assert_eq!(count(&app, "SELECT COUNT(*) AS n FROM problem").await, 4);
}

#[tokio::test]
async fn a_bad_row_of_a_roster_does_not_stop_the_others() {
    let (operator, town) = town().await;
    let folder = operator.home.directory.path().join("roster");
    std::fs::create_dir(&folder).expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).expect("a file");
    let import = || {
        let output = operator.run(&format!("concord import members {} {town}", folder.display()));
        (output.status.code(), words(&output))
    };
    let units = "单位名称,单位类别,统一社会信用代码\n甲单位,企业,\n,企业,\n乙单位,外星人,\n丙单位,企业,11632223DEM00O014X\n丁单位,机关,\n";
    write("units.csv", units);
    write("teams.csv", "team,lead,members,captain\n一队,甲单位,丁单位,王强\n二队,没有,,王强\n");
    let (code, said) = import();
    assert_eq!(code, Some(1), "{said}");
    for told in [
        "units.csv:3:1: ",
        "[REQUIRED]",
        "units.csv:4:2: ",
        "[MALFORMED]",
        "units.csv:5:3: ",
        "[CREDIT_CODE_CHARACTER]",
        "teams.csv:3:2: 没有 is neither on record nor in the files. [IMPORT_UNKNOWN]",
        "concord: 3 imported, 0 updated, 0 unchanged, 0 left, 4 refused",
    ] {
        assert!(said.contains(told), "{told}: {said}");
    }
    write(
        "units.csv",
        &units.replace("\n,企业,", "").replace("外星人", "企业").replace("11632223DEM00O014X", ""),
    );
    write("teams.csv", "team,lead,members,captain\n一队,甲单位,丁单位,王强\n二队,乙单位,,王强\n");
    for counts in [
        "3 imported, 0 updated, 3 unchanged, 0 left, 0 refused",
        "0 imported, 0 updated, 6 unchanged, 0 left, 0 refused",
    ] {
        let (code, said) = import();
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains(counts), "{said}");
    }
    let app = TestApp::on(operator.home).await;
    let named =
        "SELECT COUNT(*) AS n FROM organization WHERE name IN ('甲单位', '乙单位', '丙单位', '丁单位')";
    assert_eq!(count(&app, named).await, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn traces_reach_a_collector_that_is_configured() {
    use wiremock::{Mock, MockServer, ResponseTemplate, matchers};
    let collector = MockServer::start().await;
    let taken = Mock::given(matchers::method("POST")).and(matchers::path("/v1/traces"));
    taken.respond_with(ResponseTemplate::new(200)).mount(&collector).await;
    let operator = Operator::new().await;
    let (data, address) = (operator.data(), collector.uri());
    let mut settings = operator.home.settings();
    settings.push(("CONCORD__LOG__OTLP_ENDPOINT", &address));
    let served = Served::start(&operator.program, &["serve", "--data", &data], &settings).await;
    let ask = reqwest::Client::new()
        .post(format!("{}/graphql", served.url))
        .json(&json!({ "query": "{ __typename }" }));
    assert!(ask.send().await.expect("an answer").status().is_success());
    let begun = std::time::Instant::now();
    while collector.received_requests().await.unwrap_or_default().is_empty() {
        assert!(begun.elapsed() < PATIENCE, "no trace has come");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let spans = collector.received_requests().await.unwrap_or_default();
    assert!(spans.iter().all(|request| request.url.path() == "/v1/traces" && !request.body.is_empty()));
}

#[tokio::test]
async fn strangers_do_not_fill_the_error_log() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let operator = Operator::new().await;
    let data = operator.data();
    let served =
        Served::start(&operator.program, &["serve", "--data", &data], &operator.home.settings()).await;
    let address = served.url.trim_start_matches("http://");
    for nonsense in [
        "nonsense\r\n\r\n",
        "\u{16}\u{3}\u{1}",
        "GET / HTTP/9.9\r\n\r\n",
        "POST /graphql HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "POST /graphql HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
    ] {
        let mut stream = tokio::net::TcpStream::connect(address).await.expect("a connection");
        stream.write_all(nonsense.as_bytes()).await.expect("it is sent");
        stream.shutdown().await.expect("no more comes");
        let mut answer = Vec::new();
        let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
        assert!(read.is_ok(), "{nonsense:?} is not answered");
        assert!(!answer.starts_with(b"HTTP/1.1 5"), "{nonsense:?}: {}", String::from_utf8_lossy(&answer));
    }
    let log = served.log();
    assert!(log.contains("serving") && !log.contains("ERROR"), "{log}");
}
