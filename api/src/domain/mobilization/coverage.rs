//! How many people each place of an order needs and has. The counters move in the transaction of what they count, all places of a
//! change in one statement and in one order, so that nobody waits in a circle. Sums over a subtree are made here from the
//! places themselves, by their paths: the register of regions is not asked.

use std::collections::{BTreeMap, HashMap};

use concord_entities::{
    id::{GridCellId, MobilizationId, RegionId},
    mobilization, mobilization_coverage,
    region::{self, Level},
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QuerySelect, Statement,
};
use uuid::Uuid;

use super::{
    cells::{self, Cells},
    reach::{self, Within},
    rows::{self, Sql},
};
use crate::domain::{
    Code, Ctx, Error, Result, Tx, page,
    territory::region::{id_of_code, level_of_code},
};

/// Most rows of an answer.
pub const MOST: usize = 500;

/// What moves at a place.
#[derive(Clone, Debug, Default)]
pub struct Delta {
    /// The place's path; of a place that is counted already it may be left out.
    pub path: String,
    pub needed: i32,
    pub present: i32,
}

/// What a change moves, by place; the order is that in which the counters are taken.
pub type Deltas = BTreeMap<RegionId, Delta>;

/// Notes that somebody came to a place, or left it.
pub fn count(deltas: &mut Deltas, region: RegionId, path: Option<&str>, by: i32) {
    let delta = deltas.entry(region).or_default();
    delta.present += by;
    if let Some(path) = path {
        path.clone_into(&mut delta.path);
    }
}

/// Moves the counters: the last thing before the event, since others wait for them.
pub(super) async fn move_by(tx: &Tx<'_>, of: MobilizationId, deltas: &Deltas) -> Result<()> {
    let moved: Vec<_> = deltas
        .iter()
        .filter(|(_, delta)| delta.needed != 0 || delta.present != 0)
        .map(|(region, delta)| (rows::identifier(*region), &delta.path, delta.needed, delta.present))
        .collect();
    if moved.is_empty() {
        return Ok(());
    }
    let sql = Sql::of(&tx.db);
    let text = format!(
        "INSERT INTO mobilization_coverage (mobilization_id, region_id, path, needed, present, covered_at)
         SELECT {order}, {region}, {path}, {needed}, {present}, NULL FROM {rows} WHERE true ORDER BY 2
         ON CONFLICT (mobilization_id, region_id) DO UPDATE SET
             needed = mobilization_coverage.needed + excluded.needed,
             present = mobilization_coverage.present + excluded.present,
             covered_at = CASE WHEN mobilization_coverage.covered_at IS NULL
                 AND mobilization_coverage.needed + excluded.needed > 0
                 AND mobilization_coverage.present + excluded.present
                     >= mobilization_coverage.needed + excluded.needed
                 THEN {now} ELSE mobilization_coverage.covered_at END",
        order = sql.parameter(2, "uuid"),
        now = sql.parameter(3, "timestamptz"),
        region = sql.identifier(0),
        path = sql.string(1),
        needed = sql.integer(2),
        present = sql.integer(3),
        rows = sql.rows(),
    );
    let values = [rows::json(&moved)?, of.0.into(), tx.ctx.now().into()];
    tx.db.execute_raw(sql.statement(text, values)).await?;
    Ok(())
}

/// A place as it is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    pub region: RegionId,
    pub path: String,
    pub needed: i32,
    pub present: i32,
}

/// The places of an order, as far as the caller may see them.
pub async fn leaves(ctx: &Ctx, of: MobilizationId) -> Result<Vec<Leaf>> {
    use mobilization_coverage::Column as Counter;
    let found: Vec<(RegionId, String, i32, i32)> = mobilization_coverage::Entity::find()
        .select_only()
        .columns([Counter::RegionId, Counter::Path, Counter::Needed, Counter::Present])
        .filter(Counter::MobilizationId.eq(of))
        .filter(reach::placed(ctx, Counter::MobilizationId, Counter::RegionId))
        .into_tuple()
        .all(ctx.read())
        .await?;
    let leaf = |(region, path, needed, present)| Leaf { region, path, needed, present };
    Ok(found.into_iter().map(leaf).collect())
}

/// Of what places are summed up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Of {
    Region(RegionId),
    Cell(GridCellId),
}

/// The sums of a region or a grid cell: of what is missing and what is too much they are made place by place, so that neither makes up for the
/// other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sums {
    pub of: Of,
    /// The region's path, or the cell's code.
    pub key: String,
    pub needed: i64,
    pub present: i64,
    pub uncovered: i64,
    pub surplus: i64,
}

impl Sums {
    pub(super) fn none(of: Of, key: &str) -> Self {
        Self { of, key: key.to_owned(), needed: 0, present: 0, uncovered: 0, surplus: 0 }
    }

    /// Adds a place.
    pub(super) fn count(&mut self, leaf: &Leaf) {
        let missing = i64::from(leaf.needed) - i64::from(leaf.present);
        self.needed += i64::from(leaf.needed);
        self.present += i64::from(leaf.present);
        self.uncovered += missing.max(0);
        self.surplus += (-missing).max(0);
    }

    /// The greatest gap first, then by code.
    pub(super) fn in_order(sums: impl Iterator<Item = Self>) -> Vec<Self> {
        let mut sums: Vec<Self> = sums.collect();
        sums.sort_unstable_by(|one, other| {
            other.uncovered.cmp(&one.uncovered).then_with(|| one.key.cmp(&other.key))
        });
        sums
    }
}

/// Sums up the places below `top` by the regions directly below it, or by those of a level; the greatest gap first, then by code.
/// A place above that level stands for itself.
pub(super) fn board(
    leaves: &[&Leaf],
    top: &str,
    level: Option<Level>,
    levels: &HashMap<RegionId, Level>,
) -> Vec<Sums> {
    let mut sums: HashMap<&str, Sums> = HashMap::new();
    for leaf in leaves.iter().filter(|leaf| leaf.path.starts_with(top)) {
        let path = match level {
            None => child_of(&leaf.path, top),
            Some(level) => at_level(&leaf.path, top, level, levels),
        };
        let none = || Sums::none(Of::Region(region_of(path).unwrap_or(leaf.region)), path);
        sums.entry(path).or_insert_with(none).count(leaf);
    }
    Sums::in_order(sums.into_values())
}

/// The path of the region directly below `top` in which a place lies; its own where it is `top` itself.
fn child_of<'path>(path: &'path str, top: &str) -> &'path str {
    let rest = path.get(top.len()..).unwrap_or_default();
    match rest.find('/') {
        Some(end) => path.get(..top.len() + end + 1).unwrap_or(path),
        None => path,
    }
}

/// The path of the region of a level in which a place lies, not above `top`; its own where there is none.
fn at_level<'path>(
    path: &'path str,
    top: &str,
    level: Level,
    levels: &HashMap<RegionId, Level>,
) -> &'path str {
    let mut end = 1;
    while let Some(length) = path.get(end..).and_then(|rest| rest.find('/')) {
        end += length + 1;
        let Some(upper) = path.get(..end) else { break };
        if level_of(upper, levels) == Some(level) {
            return if upper.len() < top.len() { path.get(..top.len()).unwrap_or(path) } else { upper };
        }
    }
    path
}

/// The last step of a path.
fn step_of(path: &str) -> &str {
    path.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
}

/// The region at the end of a path: official ones stand there by their code, all others by their identifier.
pub fn region_of(path: &str) -> Option<RegionId> {
    let step = step_of(path);
    if level_of_code(step).is_some() {
        return Some(id_of_code(step));
    }
    Uuid::try_parse(step).ok().map(RegionId)
}

fn level_of(path: &str, levels: &HashMap<RegionId, Level>) -> Option<Level> {
    level_of_code(step_of(path)).or_else(|| levels.get(&region_of(path)?).copied())
}

/// Reads the levels of regions without an official code, as far as they are not known yet, of those places of which no code tells
/// where the level asked for is.
pub(super) async fn learn_levels(
    ctx: &Ctx,
    leaves: &[Leaf],
    level: Option<Level>,
    known: &mut HashMap<RegionId, Level>,
) -> Result<()> {
    let Some(level) = level else { return Ok(()) };
    let mut unknown: Vec<RegionId> = leaves
        .iter()
        .filter(|leaf| !leaf.path.split('/').any(|step| level_of_code(step) == Some(level)))
        .flat_map(|leaf| unofficial(&leaf.path))
        .filter(|id| !known.contains_key(id))
        .collect();
    if unknown.is_empty() {
        return Ok(());
    }
    unknown.sort_unstable();
    unknown.dedup();
    let found: Vec<(RegionId, Level)> = region::Entity::find()
        .select_only()
        .columns([region::Column::Id, region::Column::Level])
        .filter(page::among(ctx, region::Column::Id, unknown))
        .into_tuple()
        .all(ctx.read())
        .await?;
    known.extend(found);
    Ok(())
}

/// The regions on a path that have no official code.
fn unofficial(path: &str) -> impl Iterator<Item = RegionId> {
    path.split('/')
        .filter(|step| !step.is_empty() && level_of_code(step).is_none())
        .filter_map(|step| Uuid::try_parse(step).ok().map(RegionId))
}

/// What an order's coverage is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct View {
    /// Within this region; within the alliance's whole territory where absent.
    pub below: Option<RegionId>,
    /// By regions of this level; by those directly below where absent.
    pub level: Option<Level>,
    /// By these grid cells rather than by regions.
    pub cells: Option<Cells>,
}

/// Where a view looks, and how much of it the caller sees.
pub async fn outlook(ctx: &Ctx, order: &mobilization::Model, view: View) -> Result<(String, Within)> {
    cells::one_way(view.cells, view.level)?;
    let within = Within::of(ctx, order.id).await?.ok_or(Error::NotFound("mobilization"))?;
    if let Some(cells) = view.cells {
        cells.check(ctx).await?;
    }
    let Some(below) = view.below else { return Ok((within.top(&order.territory).to_owned(), within)) };
    let row = region::Entity::find_by_id(below).one(ctx.read()).await?.ok_or(Error::NotFound("region"))?;
    if row.path.starts_with(&order.territory) && within.holds(&row.path) {
        Ok((row.path, within))
    } else {
        Err(Error::invalid(Code::OutsideTerritory, "below"))
    }
}

/// The sums of an order by region or by grid cell, the greatest gap first. Faces show the first `MOST`, and how many there are.
pub async fn of(ctx: &Ctx, order: &mobilization::Model, view: View) -> Result<Vec<Sums>> {
    let (top, _) = outlook(ctx, order, view).await?;
    let leaves = leaves(ctx, order.id).await?;
    let seen: Vec<&Leaf> = leaves.iter().collect();
    let mut levels = HashMap::new();
    Ok(match view.cells {
        Some(wanted) => cells::board(&seen, &top, &cells::standing(ctx, wanted, order).await?),
        None => {
            learn_levels(ctx, &leaves, view.level, &mut levels).await?;
            board(&seen, &top, view.level, &levels)
        }
    })
}

/// A place whose counter says something else than its rows.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Difference {
    pub mobilization_id: MobilizationId,
    pub region_id: RegionId,
    /// `needed` or `present`.
    pub what: String,
    /// What the counter says.
    pub counted: i64,
    /// What the rows say.
    pub found: i64,
}

/// The first counter that differs from a recount of needs and check-ins, in one statement that sees both at one instant.
pub async fn first_difference(db: &impl ConnectionTrait) -> Result<Option<Difference>> {
    let text = "SELECT mobilization_id, region_id, what, CAST(SUM(counted) AS bigint) AS counted,
            CAST(SUM(found) AS bigint) AS found
        FROM (
            SELECT mobilization_id, region_id, 'needed' AS what, needed AS counted, 0 AS found FROM mobilization_coverage
            UNION ALL SELECT mobilization_id, region_id, 'present', present, 0 FROM mobilization_coverage
            UNION ALL SELECT mobilization_id, region_id, 'needed', 0, needed FROM mobilization_need
            UNION ALL SELECT mobilization_id, region_id, 'present', 0, 1 FROM mobilization_check_in WHERE left_at IS NULL
        ) side GROUP BY mobilization_id, region_id, what HAVING SUM(counted) <> SUM(found)
        ORDER BY mobilization_id, region_id, what LIMIT 1";
    let statement = Statement::from_string(db.get_database_backend(), text);
    Ok(Difference::find_by_statement(statement).one(db).await?)
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, NaiveDate, Utc};
    use concord_entities::{
        grid_cell::{self, Category},
        id::{AllianceId, GridNetworkId},
    };

    use super::*;

    const TOWN: &str = "/23/2308/230803/230803001/";

    fn leaf(below: &str, needed: i32, present: i32) -> Leaf {
        let path = format!("/23/2308/{below}");
        Leaf { region: region_of(&path).expect("a region"), path, needed, present }
    }

    fn sums(found: &[Sums]) -> Vec<(&str, i64, i64, i64, i64)> {
        found
            .iter()
            .map(|sum| (step_of(&sum.key), sum.needed, sum.present, sum.uncovered, sum.surplus))
            .collect()
    }

    fn all(leaves: &[Leaf]) -> Vec<&Leaf> {
        leaves.iter().collect()
    }

    fn places() -> Vec<Leaf> {
        vec![
            leaf("230803/230803001/230803001001/", 10, 4),
            leaf("230803/230803001/230803001002/", 2, 5),
            leaf("230803/230803002/230803002001/", 3, 3),
            leaf("230804/230804001/230804001001/", 0, 1),
            leaf("230803/230803001/230803001001/00000000000000000000000000000001/", 5, 0),
        ]
    }

    #[test]
    fn sums_are_made_place_by_place_and_the_greatest_gap_comes_first() {
        let none = HashMap::new();
        let counties = board(&all(&places()), "/23/2308/", None, &none);
        assert_eq!(sums(&counties), [("230803", 20, 12, 11, 3), ("230804", 0, 1, 0, 1)]);
        assert_eq!(counties[0].of, Of::Region(id_of_code("230803")));
        let communities = board(&all(&places()), TOWN, None, &none);
        assert_eq!(sums(&communities), [("230803001001", 15, 4, 11, 0), ("230803001002", 2, 5, 0, 3)]);
        let whole: i64 = board(&all(&places()), "/", None, &none).iter().map(|sum| sum.uncovered).sum();
        assert_eq!(whole, 11);
    }

    #[test]
    fn a_place_counts_once_in_every_cell_over_it() {
        let cell = |number: u128, code: &str, below: &[&str]| {
            let model = grid_cell::Model {
                id: GridCellId(Uuid::from_u128(number)),
                alliance_id: AllianceId::default(),
                network_id: GridNetworkId::default(),
                parent_id: None,
                code: code.to_owned(),
                name: code.to_owned(),
                level: 3,
                category: Category::Comprehensive,
                since_on: NaiveDate::MIN,
                until_on: None,
                created_at: DateTime::<Utc>::MIN_UTC,
                created_by: None,
                version: 1,
            };
            (model, below.iter().map(|below| format!("/23/2308/{below}")).collect())
        };
        let first = "230803/230803001/230803001001/";
        let compound = "230803/230803001/230803001001/00000000000000000000000000000001/";
        let cells: [cells::Covering; 3] = [
            cell(1, "A", &[first, compound, "230803/230803001/230803001002/"]),
            cell(2, "A-1", &[compound]),
            cell(3, "B", &["230804/230804002/"]),
        ];
        let found = cells::board(&all(&places()), "/23/2308/", &cells);
        let figures: Vec<_> = found
            .iter()
            .map(|sum| (sum.key.as_str(), sum.needed, sum.present, sum.uncovered, sum.surplus))
            .collect();
        assert_eq!(figures, [("A", 17, 9, 11, 3), ("A-1", 5, 0, 5, 0)]);
        assert_eq!(cells::board(&all(&places()), "/23/2308/230804/", &cells), []);
    }

    #[test]
    fn a_level_sums_up_whatever_lies_below_it_and_what_lies_above_it_stands_for_itself() {
        let compound = RegionId(Uuid::from_u128(1));
        let levels = HashMap::from([(compound, Level::Compound)]);
        let towns = board(&all(&places()), "/23/2308/", Some(Level::Township), &levels);
        assert_eq!(
            sums(&towns),
            [("230803001", 17, 9, 11, 3), ("230803002", 3, 3, 0, 0), ("230804001", 0, 1, 0, 1)]
        );
        let compounds = board(&all(&places()), TOWN, Some(Level::Compound), &levels);
        let first = sums(&compounds)[0];
        assert_eq!((first.0, first.3), ("230803001001", 6));
        assert!(compounds.iter().any(|sum| sum.of == Of::Region(compound) && sum.uncovered == 5));
        // Above the region that is asked about there is nothing but itself.
        let above = board(&all(&places()[..2]), TOWN, Some(Level::County), &levels);
        assert_eq!(sums(&above), [("230803001", 12, 9, 6, 3)]);
    }
}
