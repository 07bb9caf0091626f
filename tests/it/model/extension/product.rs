//! More time at the product: asked for and given by its verbs, and what its rows say afterwards in the model's words.

use std::collections::BTreeMap;

use concord::domain::{Result, list::extension as verbs};
use concord_entities::{
    extension::{Column, Entity},
    problem_setback,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::{
    super::{list::List, product::Product, town::Expect},
    Command, Extension, Verb,
};

impl Product<'_> {
    /// Asks the product; a request that was made is added.
    pub async fn ask_for_more(&mut self, list: &List, command: &Command, reason: &str) -> Result<()> {
        let ctx = self.app.ctx(self.names.people[command.who]);
        let reason = if command.said { reason } else { " " };
        let expected = |asked: usize| match command.expect {
            Expect::Nothing => None,
            Expect::Current => Some(list.extensions[asked].version),
            Expect::Stale => Some(list.extensions[asked].version - 1),
        };
        match command.verb {
            Verb::Request { on, until } => {
                let made = verbs::request(&ctx, self.problems[on], until, reason).await?;
                self.extensions.push(made.id);
            }
            Verb::Grant { asked, until } => {
                let id = self.extensions[asked];
                verbs::grant(&ctx, id, until, Some(reason), expected(asked)).await?;
            }
            Verb::Refuse { asked } => {
                verbs::refuse(&ctx, self.extensions[asked], reason, expected(asked)).await?;
            }
        }
        Ok(())
    }

    /// The requests, in the order in which they were made.
    pub async fn extensions(&self) -> Vec<Extension> {
        let rows = Entity::find()
            .filter(Column::ProblemId.is_in(self.problems.iter().copied()))
            .all(&self.app.app.read)
            .await
            .expect("requests");
        let mut by_place: BTreeMap<usize, Extension> = BTreeMap::new();
        for row in rows {
            let place =
                self.extensions.iter().position(|one| *one == row.id).expect("a request of this sequence");
            let asked = Extension {
                on: self.place(row.problem_id),
                round: row.round,
                unit: self.names.unit(row.organization_id),
                state: row.state,
                until: row.asked_until,
                asked_at: row.asked_at,
                asked_by: row.asked_by.map(|id| self.names.person(id)),
                due_before: row.due_before,
                granted_until: row.granted_until,
                decided_at: row.decided_at,
                decided_by: row.decided_by.map(|id| self.names.person(id)),
                version: row.version,
            };
            by_place.insert(place, asked);
        }
        by_place.into_values().collect()
    }

    /// How often each problem counts as given more time, and for which unit.
    pub async fn extended(&self) -> BTreeMap<(usize, usize), usize> {
        let rows = problem_setback::Entity::find()
            .filter(problem_setback::Column::ProblemId.is_in(self.problems.iter().copied()))
            .filter(problem_setback::Column::Kind.eq(problem_setback::Kind::Extended))
            .all(&self.app.app.read)
            .await
            .expect("what set problems back");
        let mut found = BTreeMap::new();
        for row in rows {
            let of = (self.place(row.problem_id), self.names.unit(row.organization_id));
            *found.entry(of).or_default() += 1;
        }
        found
    }
}
