//! New York's service requests: what the product tells of them and what an independent script computes from the file.

use super::*;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/");

/// What the independent script says of a period.
fn computed(from: &str, to: &str, zone: &str, replay: Option<&Value>) -> Value {
    let output = std::process::Command::new("python3")
        .arg(format!("{FOLDER}conformance/statistics.py"))
        .args([&format!("{FOLDER}data/nyc311-requests.csv"), from, to, zone])
        .args(replay.map(Value::to_string))
        .output()
        .expect("python3 runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// Holds what the product tells against what the script computed.
fn assert_as_computed(told: &Value, expected: &Value, when: &str) {
    for name in ["registered", "open", "overdue", "closed", "struckOff", "handlingTime"] {
        assert_eq!(told[name], expected[name], "{name} {when}");
    }
    for rate in ["closureRate", "onTimeRate"] {
        for part in ["numerator", "denominator"] {
            assert_eq!(told[rate][part], expected[rate][part], "{rate} {when}");
        }
    }
    let without = &expected["onTimeRate"]["withoutDueDate"];
    assert_eq!(&told["onTimeRate"]["excluded"][0]["count"], without, "{when}");
}

const SET_POLICY: &str = "mutation($input: SetDeadlinePolicyInput!) { setDeadlinePolicy(input: $input) {
    userErrors { code field message } } }";

/// Limits by urgency, tier and complexity, in hours, days and working days.
fn rules() -> Value {
    json!([
        { "clock": "RESOLUTION", "amount": 5, "unit": "WORKING_DAYS" },
        { "clock": "RESOLUTION", "severity": "LIFE_SAFETY", "amount": 60, "unit": "HOURS" },
        { "clock": "RESOLUTION", "tier": "HARD", "amount": 10, "unit": "DAYS" },
        { "clock": "RESOLUTION", "severity": "UTILITIES", "tier": "BIG", "amount": 2, "unit": "WORKING_DAYS" },
        { "clock": "RESOLUTION", "severity": "ORDINARY", "tier": "SMALL", "isComplex": true, "amount": 1,
            "unit": "WORKING_DAYS" },
        { "clock": "RESPONSE", "tier": "BIG", "amount": 4, "unit": "WORKING_DAYS" },
        { "clock": "RESPONSE", "severity": "ORDINARY", "amount": 6, "unit": "DAYS" },
        { "clock": "DISPATCH", "amount": 4, "unit": "HOURS" },
    ])
}

async fn set_policy(app: &TestApp, world: &World) {
    let input = json!({ "input": { "allianceId": id::encode(world.town), "rules": rules() } });
    app.client(world.committee).send(SET_POLICY, input).await.fine();
}

#[tokio::test]
async fn an_independent_script_computes_the_same_from_new_yorks_requests() {
    let file = std::fs::read(format!("{FOLDER}data/nyc311-requests.csv")).expect("the requests");
    let mapping =
        std::fs::read_to_string(format!("{FOLDER}../docs/examples/nyc311.toml")).expect("the mapping");
    for zone in ["America/New_York", "Asia/Shanghai"] {
        let app = TestApp::new().await;
        let world = World::build(&app, "632223").await;
        app.sql(&format!("UPDATE alliance SET time_zone = '{zone}'")).await.expect("another zone");
        // What is taken over has the due date of its source or none: no policy of ours reaches it.
        set_policy(&app, &world).await;
        let mapping = Mapping::parse(&mapping).expect("the shipped mapping");
        let source = Source { name: "requests.csv".to_owned(), bytes: file.clone() };
        let report = problems::run(&app.system(), world.town, &mapping, &source, Options::default()).await;
        assert_eq!(report.expect("an import").imported, 1000);
        app.run_background().await;
        let mut closed = 0;
        for (from, to) in [
            ("2024-05-01", "2024-05-31"),
            ("2024-05-26", "2024-05-26"),
            ("2024-05-27", "2024-05-27"),
            ("2024-05-28", "2024-06-30"),
            ("2024-06-01", "2026-01-31"),
        ] {
            let of = json!({ "allianceId": id::encode(world.town) });
            let answer = ask(&app, world.observer, of, from, to).await;
            let told = answer.at("/statistics/period");
            assert_as_computed(told, &computed(from, to, zone, None), &format!("{from} to {to} in {zone}"));
            closed += told["closed"].as_i64().expect("a number");
        }
        assert!(closed > 677, "{closed} closed");
    }
}

/// A request of the file, as far as the replay goes by it.
#[derive(serde::Deserialize)]
struct Request {
    created_date: chrono::NaiveDateTime,
    closed_date: Option<chrono::NaiveDateTime>,
    status: String,
    open_data_channel_type: String,
    borough: String,
    location_type: String,
}

/// Lives through a request's registration or its end.
async fn live(app: &TestApp, world: &World, request: &Request, known: &mut Option<ProblemId>) {
    let [committee, staff] = [app.ctx(world.committee), app.ctx(world.staff)];
    let Some(id) = *known else {
        let severity = match request.open_data_channel_type.as_str() {
            "PHONE" => Severity::Utilities,
            "MOBILE" => Severity::LifeSafety,
            _ => Severity::Ordinary,
        };
        let tier = match request.borough.as_str() {
            "QUEENS" => Tier::Small,
            "BROOKLYN" => Tier::Big,
            _ => Tier::Hard,
        };
        let new = NewProblem { severity, ..pothole(world) };
        let row = problem::register(&app.ctx(world.grid_officer), new).await.expect("registered");
        let is_complex = request.location_type.starts_with("Street");
        moves::triage(&committee, which(row.id), Triage { tier, is_complex, ..triage() })
            .await
            .expect("triaged");
        moves::assign(&committee, which(row.id), world.members[1], None).await.expect("assigned");
        *known = Some(row.id);
        return;
    };
    moves::accept(&staff, which(id)).await.expect("accepted");
    moves::start(&staff, which(id), None).await.expect("started");
    show_closure(app, world, id).await;
    moves::submit(&staff, which(id)).await.expect("submitted");
    moves::verify(&app.ctx(world.verifier), which(id), "已平整").await.expect("verified");
    moves::strike_off(&app.ctx(world.approver), which(id)).await.expect("struck off");
}

#[tokio::test]
async fn the_script_computes_the_same_under_deadline_policies() {
    let file = std::fs::read(format!("{FOLDER}data/nyc311-requests.csv")).expect("the requests");
    let all: Vec<Request> =
        csv::Reader::from_reader(file.as_slice()).deserialize().collect::<Result<_, _>>().expect("requests");
    let source = |at: chrono::NaiveDateTime| {
        chrono_tz::America::New_York.from_local_datetime(&at).single().expect("an instant").to_utc()
    };
    let holidays = format!("{FOLDER}../api/src/domain/calendar/holidays-cn.csv");
    // The file's three hours become a month: over Mid-Autumn, National Day and their make-up days; and into a year whose
    // holidays are not published, where working days are Monday to Friday and nothing is a breach before they are.
    for (every, base, now, days) in [
        (
            5,
            "2026-09-15T00:00:00+00:00",
            "2026-11-10T04:00:00+00:00",
            [("2026-09-01", "2026-09-30"), ("2026-10-01", "2026-10-10"), ("2026-09-15", "2026-12-31")],
        ),
        (
            14,
            "2026-12-10T00:00:00+00:00",
            "2027-02-01T04:00:00+00:00",
            [("2026-12-01", "2026-12-31"), ("2027-01-01", "2027-01-10"), ("2026-12-01", "2027-02-28")],
        ),
    ] {
        let app = TestApp::new().await;
        let world = World::build(&app, "632223").await;
        set_policy(&app, &world).await;
        let told = json!({ "every": every, "base": base, "factor": 240, "rules": rules(), "holidays": holidays,
            "now": now });
        let [base, now]: [DateTime<Utc>; 2] = [base, now].map(|at| at.parse().expect("an instant"));
        let requests: Vec<&Request> = all.iter().step_by(every).collect();
        let first = requests.iter().map(|one| source(one.created_date)).min().expect("requests");
        let here = |at: chrono::NaiveDateTime| base + (source(at) - first) * 240;
        let mut moments = Vec::new();
        for (place, request) in requests.iter().enumerate() {
            moments.push((here(request.created_date), place));
            moments.extend(
                request.closed_date.filter(|_| request.status == "Closed").map(|at| (here(at), place)),
            );
        }
        moments.sort_unstable();
        let mut known = vec![None; requests.len()];
        for (at, place) in moments {
            app.set_now(at);
            live(&app, &world, requests[place], &mut known[place]).await;
        }
        app.set_now(now);
        app.run_background().await;
        let of = json!({ "allianceId": id::encode(world.town) });
        let (mut late, mut early) = (0, 0);
        for (from, to) in days {
            let expected = computed(from, to, "Asia/Shanghai", Some(&told));
            let answer = ask(&app, world.observer, of.clone(), from, to).await;
            let told = answer.at("/statistics/period");
            assert_as_computed(told, &expected, &format!("{from} to {to}"));
            let rate = &told["onTimeRate"];
            early += rate["numerator"].as_i64().expect("a number");
            late += rate["denominator"].as_i64().expect("a number")
                - rate["numerator"].as_i64().expect("a number");
        }
        assert!(early > 5 && late > 5, "{early} in time, {late} late");
        let query = "query($input: StatisticsInput!) { statistics(input: $input) { period {
            breached: count(measure: BREACHED) } } }";
        let (from, to) = days[2];
        let answer = app.client(world.observer).send(query, input(of, from, to)).await;
        let expected = computed(from, to, "Asia/Shanghai", Some(&told));
        assert_eq!(answer.at("/statistics/period/breached"), &expected["breached"]);
    }
}
