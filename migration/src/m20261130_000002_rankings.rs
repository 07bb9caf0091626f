//! Monthly rankings of departments: what the three rates were when the month was over, and the rows behind each figure. A
//! ranking's row is written last and closes what was written before it.

use sea_orm_migration::prelude::*;

use crate::{
    build::{create, date, double, index, integer, optional, string, timestamp, uuid},
    refusal::{self, Refusal},
};

#[derive(DeriveMigrationName)]
pub struct Migration;

const SAYS: &str = "a ranking stays as it was taken";
const TAKEN: &str = "EXISTS (SELECT 1 FROM ranking r WHERE r.id = NEW.ranking_id)";

const fn kept(name: &'static str, table: &'static str, on: &'static str, condition: &'static str) -> Refusal {
    Refusal { name, table, on, guard: "1 = 1", condition, says: SAYS }
}

const REFUSALS: [Refusal; 8] = [
    kept("ranking_is_kept", "ranking", "DELETE", "1 = 1"),
    kept("ranking_is_not_edited", "ranking", "UPDATE", "1 = 1"),
    kept("ranking_place_is_kept", "ranking_place", "DELETE", "1 = 1"),
    kept("ranking_place_is_not_edited", "ranking_place", "UPDATE", "1 = 1"),
    kept("ranking_place_is_closed", "ranking_place", "INSERT", TAKEN),
    kept("ranking_item_is_kept", "ranking_item", "DELETE", "1 = 1"),
    kept("ranking_item_is_not_edited", "ranking_item", "UPDATE", "1 = 1"),
    kept("ranking_item_is_closed", "ranking_item", "INSERT", TAKEN),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = vec![uuid("id"), uuid("alliance_id"), date("month_on"), timestamp("taken_at")];
        create(manager, "ranking", &["id"], columns, &[("alliance_id", "alliance")]).await?;
        index(manager, "ranking", &["alliance_id", "month_on"], true, None).await?;
        let columns = vec![
            uuid("ranking_id"),
            string("noun", 24),
            uuid("organization_id"),
            optional(integer("place")),
            optional(double("score")),
            integer("response_due"),
            integer("responded"),
            integer("answered"),
            integer("resolved"),
            integer("satisfied"),
            integer("response_excluded"),
            integer("answer_excluded"),
        ];
        let key = ["ranking_id", "noun", "organization_id"];
        create(manager, "ranking_place", &key, columns, &[("organization_id", "organization")]).await?;
        let columns = vec![
            uuid("ranking_id"),
            string("noun", 24),
            string("figure", 24),
            uuid("organization_id"),
            uuid("subject_id"),
        ];
        let key = ["ranking_id", "noun", "figure", "organization_id", "subject_id"];
        create(manager, "ranking_item", &key, columns, &[]).await?;
        refusal::make(manager, &REFUSALS).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refusal::unmake(manager, &REFUSALS).await?;
        for table in ["ranking_item", "ranking_place", "ranking"] {
            manager.drop_table(Table::drop().table(Alias::new(table)).to_owned()).await?;
        }
        Ok(())
    }
}
