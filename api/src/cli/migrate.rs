//! `concord migrate`: brings the tables up to date.

use super::{Failure, Outcome, build};
use crate::{config::Config, database};

pub async fn run(config: Config) -> Outcome {
    let app = build(config, true).await?;
    database::ready(&app.write, &app.read).await.map_err(Failure::wrong)?;
    eprintln!("concord: the tables are up to date");
    Ok(())
}
