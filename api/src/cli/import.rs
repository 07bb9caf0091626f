//! `concord import …`: registers, rosters, ledgers, problems and calendars from files. Errors name file, line and column; a bad row
//! does not stop the rest; running again imports nothing twice.

use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use clap::{Args, Subcommand};
use concord_entities::id::AllianceId;
use indicatif::{ProgressBar, ProgressStyle};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::{Failure, Outcome, build, explain};
use crate::{
    config::Config,
    domain::{self, Ctx},
    graphql::id,
    import::{
        self, Options, Report, RowError, Source, members::Roster, problems::Mapping, regions::Register,
    },
    messages::{self, Locale},
};

#[derive(Subcommand)]
pub enum Import {
    /// The official register: provinces.csv, cities.csv, areas.csv, streets.csv and villages.csv of a folder
    Regions {
        /// Folder with the files
        folder: PathBuf,
        #[command(flatten)]
        how: How,
    },
    /// The roster of an alliance: units.csv, stations.csv and teams.csv of a folder
    Members {
        /// Folder with the files
        folder: PathBuf,
        /// The alliance, by its identifier or its full name
        #[arg(long)]
        alliance: String,
        #[command(flatten)]
        how: How,
    },
    /// Problems of another system, by a mapping of its columns
    Problems {
        /// CSV file
        file: PathBuf,
        /// TOML file that says which column holds what, and names the time zone
        #[arg(long)]
        mapping: PathBuf,
        /// The alliance, by its identifier or its full name
        #[arg(long)]
        alliance: String,
        #[command(flatten)]
        how: How,
    },
    /// Grid cells with what they cover and who holds them, in the columns in which clerks keep them
    Grids {
        /// CSV file
        file: PathBuf,
        /// The alliance, by its identifier or its full name
        #[arg(long)]
        alliance: String,
        #[command(flatten)]
        how: How,
    },
    /// A closure ledger (问题销号台账) in the columns in which `/ledgers/problems.csv` writes it
    Ledger {
        /// CSV file
        file: PathBuf,
        /// The alliance, by its identifier or its full name
        #[arg(long)]
        alliance: String,
        #[command(flatten)]
        how: How,
    },
    /// A task list (重点任务清单) in the columns in which `/ledgers/tasks.csv` writes it; its tasks come as drafts
    Tasks {
        /// CSV file
        file: PathBuf,
        /// The alliance, by its identifier or its full name
        #[arg(long)]
        alliance: String,
        /// The month on whose list they come
        #[arg(long, value_name = "YYYY-MM", value_parser = month)]
        month: NaiveDate,
        #[command(flatten)]
        how: How,
    },
    /// A rotation table (轮值表) in the columns in which `/ledgers/rotation.csv` writes it
    Rotation {
        /// CSV file
        file: PathBuf,
        /// The alliance, by its identifier or its full name
        #[arg(long)]
        alliance: String,
        #[command(flatten)]
        how: How,
    },
    /// Public holidays and make-up working days: date,name,kind
    Calendar {
        /// CSV file
        file: PathBuf,
        /// The alliance whose local days they are; without it they are the national notice
        #[arg(long)]
        alliance: Option<String>,
        #[command(flatten)]
        how: How,
    },
}

#[derive(Args)]
pub struct How {
    /// Check and count everything, change nothing
    #[arg(long)]
    dry_run: bool,
}

pub async fn run(config: Config, command: Import) -> Outcome {
    let app = build(config, true).await?;
    let ctx = Ctx::system(&app);
    match command {
        Import::Regions { folder, how } => {
            let register = Register::read(&folder).await;
            let bar = bar(register.lines());
            let progress = |done| bar.set_position(done);
            let report =
                import::regions::run(&ctx, &register, Options { dry_run: how.dry_run, progress: &progress })
                    .await;
            tell(&bar, report.map_err(explain)?, how.dry_run)
        }
        Import::Members { folder, alliance, how } => {
            let alliance = find(&ctx, &alliance).await?;
            let roster = Roster::read(&folder).await.map_err(explain)?;
            let bar = bar(roster.lines());
            let progress = |done| bar.set_position(done);
            let options = Options { dry_run: how.dry_run, progress: &progress };
            let report = import::members::run(&ctx, alliance, &roster, options).await;
            tell(&bar, report.map_err(explain)?, how.dry_run)
        }
        Import::Problems { file, mapping, alliance, how } => {
            let alliance = find(&ctx, &alliance).await?;
            let text = Source::read(&mapping, 1 << 20).await.map_err(explain)?;
            let text =
                String::from_utf8(text.bytes).map_err(|_| Failure::usage("the mapping is not UTF-8"))?;
            let mapping = Mapping::parse(&text).map_err(explain)?;
            let source = Source::read(&file, import::problems::MOST_BYTES).await.map_err(explain)?;
            one_file(&source, how, async |options| {
                import::problems::run(&ctx, alliance, &mapping, &source, options).await
            })
            .await
        }
        Import::Grids { file, alliance, how } => {
            let alliance = find(&ctx, &alliance).await?;
            let source = Source::read(&file, import::grids::MOST_BYTES).await.map_err(explain)?;
            one_file(&source, how, async |options| import::grids::run(&ctx, alliance, &source, options).await)
                .await
        }
        Import::Ledger { file, alliance, how } => {
            let alliance = find(&ctx, &alliance).await?;
            let source = Source::read(&file, import::ledger::MOST_BYTES).await.map_err(explain)?;
            one_file(&source, how, async |options| {
                import::ledger::run(&ctx, alliance, &source, options).await
            })
            .await
        }
        Import::Tasks { file, alliance, month, how } => {
            let alliance = find(&ctx, &alliance).await?;
            let source = Source::read(&file, import::tasks::MOST_BYTES).await.map_err(explain)?;
            one_file(&source, how, async |options| {
                import::tasks::run(&ctx, alliance, month, &source, options).await
            })
            .await
        }
        Import::Rotation { file, alliance, how } => {
            let alliance = find(&ctx, &alliance).await?;
            let source = Source::read(&file, import::rotation::MOST_BYTES).await.map_err(explain)?;
            one_file(&source, how, async |options| {
                import::rotation::run(&ctx, alliance, &source, options).await
            })
            .await
        }
        Import::Calendar { file, alliance, how } => {
            let alliance = match alliance {
                Some(alliance) => Some(find(&ctx, &alliance).await?),
                None => None,
            };
            let source = Source::read(&file, import::calendar::MOST_BYTES).await.map_err(explain)?;
            one_file(&source, how, async |options| {
                import::calendar::run(&ctx, alliance, &source, options).await
            })
            .await
        }
    }
}

/// Imports a file, showing how far it is, and tells what came of it.
async fn one_file(
    source: &Source,
    how: How,
    run: impl AsyncFnOnce(Options<'_>) -> domain::Result<Report>,
) -> Outcome {
    let bar = bar(source.lines());
    let progress = |done| bar.set_position(done);
    let report = run(Options { dry_run: how.dry_run, progress: &progress }).await;
    tell(&bar, report.map_err(explain)?, how.dry_run)
}

/// The first day of a month.
fn month(text: &str) -> Result<NaiveDate, String> {
    let first = Some(format!("{text}-01")).filter(|_| text.len() == "2026-01".len());
    first.and_then(|first| first.parse().ok()).ok_or_else(|| "a month such as 2026-01 is expected".to_owned())
}

/// The alliance that the operator means.
async fn find(ctx: &Ctx, name: &str) -> Result<AllianceId, Failure> {
    use concord_entities::alliance::{Column, Entity};
    if let Ok(id) = id::decode::<AllianceId>(&name.into(), "alliance") {
        return Ok(id);
    }
    let found = Entity::find().filter(Column::Name.eq(name)).all(ctx.read()).await.map_err(Failure::wrong)?;
    match found.as_slice() {
        [one] => Ok(one.id),
        [] => Err(Failure::usage(format!("no alliance is called {name}"))),
        _ => Err(Failure::usage(format!("several alliances are called {name}; give the identifier"))),
    }
}

fn bar(rows: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {human_pos}/{human_len} rows {per_sec} {eta}");
    ProgressBar::new(rows).with_style(style.expect("our own template parses"))
}

fn tell(bar: &ProgressBar, report: Report, dry_run: bool) -> Outcome {
    bar.finish_and_clear();
    for row in &report.errors {
        complain("", row);
    }
    for row in &report.notes {
        complain("left: ", row);
    }
    let refused = report.refused();
    eprintln!(
        "concord: {}{} imported, {} updated, {} unchanged, {} left, {refused} refused",
        if dry_run { "would be: " } else { "" },
        report.imported,
        report.updated,
        report.unchanged,
        report.left,
    );
    if refused == 0 { Ok(()) } else { Err(Failure::wrong("some rows were refused")) }
}

fn complain(how: &str, row: &RowError) {
    let RowError { file, line, column, error } = row;
    let (file, text) = (Path::new(file).display(), messages::of(error, Locale::En));
    eprintln!("{file}:{line}:{column}: {how}{text} [{}]", error.code().text());
}
