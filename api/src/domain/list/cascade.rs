//! Cascade: a task of a county or city alliance, decomposed into tasks of the alliances below it. What the parts come to
//! rolls up by weight, through all levels, when it is read: nothing is stored that could differ from a recount. What a task that
//! was carried over had come to by then is stored, since its parts go on elsewhere and it changes no more.
//!
//! The progress of a task is a fraction of whole numbers, exact at every level. A completed task has come to all of it. A task
//! with parts has come to the mean of its parts by their weights; parts that were cancelled, or carried over and so stand in
//! it once more as their successors, are left out of both sums. Every other task has come to what was last reported.

use std::collections::HashMap;

use chrono::NaiveDate;
use concord_entities::{
    alliance, alliance_closure,
    id::{AllianceId, OrganizationId, PriorityTaskId},
    organization,
    priority_task::{self, State},
    task_carry_over, task_list, task_part,
};
use num_bigint::BigUint;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, JoinType, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, RelationTrait,
};

use super::{
    carry_over::open_of_month,
    counts as counters,
    priority_task::{co_organizers_of, concerning, hold, next_place, published, touched},
    task_checks::period,
    task_states,
};
use crate::domain::{
    Action, Code, Ctx, Error, Event, Fact, Result, Target, Tx,
    governance::{
        alliance::{self as alliances, expect_version},
        membership, organization as organizations,
    },
    scope, text,
};

/// Most parts of one decomposition.
const MOST_PARTS: usize = 100;
/// The heaviest weight.
const HEAVIEST: i32 = 10_000;
/// Most levels of a cascade that are read; the territory has seven.
const LEVELS: usize = 16;

/// A part of a task, as the committee above writes it.
#[derive(Clone, Debug)]
pub struct NewPart {
    pub alliance_id: AllianceId,
    pub weight: i32,
    /// The parent's own where absent.
    pub title: Option<String>,
    /// The parent's own where absent.
    pub due_on: Option<NaiveDate>,
    /// The alliance's committee where absent.
    pub lead_organization_id: Option<OrganizationId>,
}

/// Whether parts may be given to a task in `state`. A draft is its committee's alone: its parts would tell of it below.
fn is_divisible(state: State) -> bool {
    task_states::is_open(state) && state != State::Submitted
}

/// Decomposes a task into tasks of alliances below, each on its list of the same month.
pub async fn decompose(
    ctx: &Ctx,
    id: PriorityTaskId,
    expected_version: Option<i64>,
    parts: Vec<NewPart>,
) -> Result<priority_task::Model> {
    let tx = ctx.begin().await?;
    let parent = hold(&tx, id).await?;
    ctx.require(&tx.db, Action::DecomposePriorityTask, Target::alliance(parent.alliance_id)).await?;
    expect_version(expected_version.unwrap_or(parent.version), parent.version)?;
    if !is_divisible(parent.state) {
        let state = sea_orm::ActiveEnum::to_value(&parent.state);
        return Err(Error::refused(Code::StateRefused).with("state", state));
    }
    if parts.is_empty() {
        return Err(Error::invalid(Code::Required, "parts"));
    }
    if parts.len() > MOST_PARTS {
        return Err(Error::invalid(Code::OutOfRange, "parts").with("least", 1).with("most", MOST_PARTS));
    }
    require_known(&tx, &parts).await?;
    let below = alliances_below(&tx, &parent, &parts).await?;
    let list = task_list::Entity::find_by_id(parent.task_list_id)
        .one(&tx.db)
        .await?
        .ok_or(Error::NotFound("task_list"))?;
    let mut parts: Vec<(usize, NewPart)> = parts.into_iter().enumerate().collect();
    // Whoever decomposes at the same time takes the lists in the same order.
    parts.sort_by_key(|(_, part)| part.alliance_id);
    let count = parts.len();
    let lists: Vec<AllianceId> = parts.iter().map(|(_, part)| part.alliance_id).collect();
    for (index, part) in parts {
        let there = below.get(&part.alliance_id).ok_or(Error::NotFound("alliance"))?;
        write_part(&tx, &parent, list.month_on, there, part, index).await?;
    }
    let joint = co_organizers_of(&tx.db, id).await?;
    let row = touched(parent).update(&tx.db).await?;
    let fact = Fact::of(Event::PriorityTaskDecomposed, id).alliance(row.alliance_id);
    tx.record(concerning(fact, &row, &joint).detail("parts", count)).await?;
    counters::hold(&tx, lists).await?;
    tx.commit(id).await?;
    Ok(row)
}

/// Turns away units that the caller does not know of.
async fn require_known(tx: &Tx<'_>, parts: &[NewPart]) -> Result<()> {
    let mut leads: Vec<OrganizationId> = parts.iter().filter_map(|part| part.lead_organization_id).collect();
    leads.sort_unstable();
    leads.dedup();
    let known = organizations::visible(tx.ctx)
        .filter(organization::Column::Id.is_in(leads.iter().copied()))
        .count(&tx.db)
        .await?;
    if usize::try_from(known) == Ok(leads.len()) { Ok(()) } else { Err(Error::NotFound("organization")) }
}

/// The alliances that parts go to: each seen by the caller, below the parent's, and without a part that counts so far.
async fn alliances_below(
    tx: &Tx<'_>,
    parent: &priority_task::Model,
    parts: &[NewPart],
) -> Result<HashMap<AllianceId, alliance::Model>> {
    let wanted = || parts.iter().map(|part| part.alliance_id);
    let seen: HashMap<AllianceId, alliance::Model> = alliances::visible(tx.ctx)
        .filter(alliance::Column::Id.is_in(wanted()))
        .all(&tx.db)
        .await?
        .into_iter()
        .map(|row| (row.id, row))
        .collect();
    let below: Vec<AllianceId> = alliance_closure::Entity::find()
        .select_only()
        .column(alliance_closure::Column::DescendantId)
        .filter(alliance_closure::Column::AncestorId.eq(parent.alliance_id))
        .filter(alliance_closure::Column::Depth.gte(1))
        .filter(alliance_closure::Column::DescendantId.is_in(wanted()))
        .into_tuple()
        .all(&tx.db)
        .await?;
    let standing: Vec<AllianceId> = task_part::Entity::find()
        .join(JoinType::InnerJoin, task_part::Relation::Task.def())
        .select_only()
        .column(priority_task::Column::AllianceId)
        .filter(task_part::Column::ParentTaskId.eq(parent.id))
        .filter(priority_task::Column::State.is_not_in(UNCOUNTED))
        .into_tuple()
        .all(&tx.db)
        .await?;
    let mut taken = standing;
    for (index, part) in parts.iter().enumerate() {
        let field = format!("parts.{index}.allianceId");
        if !seen.contains_key(&part.alliance_id) {
            return Err(Error::NotFound("alliance"));
        }
        if !below.contains(&part.alliance_id) {
            return Err(Error::invalid(Code::AllianceNotBelow, field));
        }
        if taken.contains(&part.alliance_id) {
            return Err(Error::invalid(Code::AlreadyExists, field));
        }
        taken.push(part.alliance_id);
    }
    Ok(seen)
}

async fn write_part(
    tx: &Tx<'_>,
    parent: &priority_task::Model,
    month_on: NaiveDate,
    there: &alliance::Model,
    part: NewPart,
    index: usize,
) -> Result<()> {
    let field = |name: &str| format!("parts.{index}.{name}");
    if !(1..=HEAVIEST).contains(&part.weight) {
        return Err(Error::invalid(Code::OutOfRange, field("weight"))
            .with("least", 1)
            .with("most", HEAVIEST));
    }
    let title = match &part.title {
        Some(title) => text::required(title, "title", 200).map_err(|error| error.at(field("title")))?,
        None => parent.title.clone(),
    };
    let due_on =
        period(None, part.due_on.unwrap_or(parent.due_on)).map_err(|error| error.at(field("dueOn")))?;
    if due_on > parent.due_on {
        return Err(Error::invalid(Code::OutOfRange, field("dueOn"))
            .with("least", "2000-01-01")
            .with("most", parent.due_on));
    }
    let lead = part
        .lead_organization_id
        .or(there.committee_organization_id)
        .ok_or_else(|| Error::invalid(Code::Required, field("leadOrganizationId")))?;
    membership::require_active(&tx.db, there.id, lead, "parts")
        .await
        .map_err(|error| error.at(field("leadOrganizationId")))?;
    let list = open_of_month(tx, there.id, month_on).await.map_err(|error| error.at(field("allianceId")))?;
    let is_told = list.state == task_list::State::Published;
    let state = if is_told { State::Published } else { State::Draft };
    let row = priority_task::ActiveModel {
        id: Set(tx.ctx.new_id()),
        alliance_id: Set(there.id),
        task_list_id: Set(list.id),
        place: Set(next_place(&tx.db, list.id).await.map_err(|error| error.at(field("allianceId")))?),
        title: Set(title),
        content: Set(parent.content.clone()),
        criterion: Set(parent.criterion.clone()),
        source: Set(parent.source.clone()),
        lead_organization_id: Set(lead),
        region_id: Set(None),
        starts_on: Set(None),
        due_on: Set(due_on),
        due_told_on: Set(None),
        state: Set(state),
        is_open: Set(task_states::is_open(state)),
        percent: Set(0),
        responsible_name: Set(None),
        reason: Set(None),
        returned_count: Set(0),
        published_at: Set(is_told.then(|| tx.ctx.now())),
        acknowledged_at: Set(None),
        submitted_at: Set(None),
        completed_at: Set(None),
        created_by: Set(tx.ctx.author()),
        created_at: Set(tx.ctx.now()),
        version: Set(1),
    };
    let row = row.insert(&tx.db).await?;
    let link = task_part::ActiveModel {
        task_id: Set(row.id),
        parent_task_id: Set(parent.id),
        weight: Set(part.weight),
    };
    task_part::Entity::insert(link).exec_without_returning(&tx.db).await?;
    let fact = if is_told {
        published(&row, &[])
    } else {
        Fact::of(Event::PriorityTaskCreated, row.id).alliance(there.id)
    };
    tx.record(fact).await?;
    Ok(())
}

/// The states whose parts are left out: one was given up, the other stands in its successor.
const UNCOUNTED: [State; 2] = [State::Cancelled, State::CarriedOver];

/// Whether a part in `state` counts for the task above it.
pub fn counts(state: State) -> bool {
    !UNCOUNTED.contains(&state)
}

/// A part of a task, as whoever sees the alliances below reads it from above.
#[derive(Clone, Debug)]
pub struct Part {
    pub task: priority_task::Model,
    pub alliance_name: String,
    pub weight: i32,
}

/// The parts of `parents` in alliances that the caller may read, by alliance and age. The caller has read the parents.
pub async fn parts(ctx: &Ctx, parents: &[PriorityTaskId]) -> Result<HashMap<PriorityTaskId, Vec<Part>>> {
    let links = task_part::Entity::find()
        .filter(task_part::Column::ParentTaskId.is_in(parents.iter().copied()))
        .all(ctx.read())
        .await?;
    let links: HashMap<PriorityTaskId, task_part::Model> =
        links.into_iter().map(|link| (link.task_id, link)).collect();
    if links.is_empty() {
        return Ok(HashMap::new());
    }
    let tasks = priority_task::Entity::find()
        .filter(priority_task::Column::Id.is_in(links.keys().copied()))
        .filter(scope::in_alliances(ctx, priority_task::Column::AllianceId))
        .order_by_asc(priority_task::Column::AllianceId)
        .order_by_asc(priority_task::Column::Id)
        .all(ctx.read())
        .await?;
    let names = names(ctx.read(), tasks.iter().map(|task| task.alliance_id)).await?;
    let mut found: HashMap<PriorityTaskId, Vec<Part>> = HashMap::new();
    for task in tasks {
        let Some(link) = links.get(&task.id) else { continue };
        let alliance_name = names.get(&task.alliance_id).cloned().unwrap_or_default();
        let of = found.entry(link.parent_task_id).or_default();
        of.push(Part { task, alliance_name, weight: link.weight });
    }
    Ok(found)
}

/// What a part tells of the task above it, and nothing else.
#[derive(Clone, Debug)]
pub struct Origin {
    pub title: String,
    pub alliance_name: String,
    pub due_on: NaiveDate,
    pub source: Option<String>,
}

/// Where the parts among `tasks` come from. The caller has read the tasks; what is above them may be hidden otherwise.
pub async fn origins(
    db: &impl ConnectionTrait,
    tasks: &[PriorityTaskId],
) -> Result<HashMap<PriorityTaskId, Origin>> {
    let links = task_part::Entity::find()
        .filter(task_part::Column::TaskId.is_in(tasks.iter().copied()))
        .all(db)
        .await?;
    if links.is_empty() {
        return Ok(HashMap::new());
    }
    let parents: HashMap<PriorityTaskId, priority_task::Model> = priority_task::Entity::find()
        .filter(priority_task::Column::Id.is_in(links.iter().map(|link| link.parent_task_id)))
        // A draft is its committee's alone.
        .filter(priority_task::Column::State.ne(State::Draft))
        .all(db)
        .await?
        .into_iter()
        .map(|row| (row.id, row))
        .collect();
    let names = names(db, parents.values().map(|row| row.alliance_id)).await?;
    let origin = |link: task_part::Model| {
        let task = parents.get(&link.parent_task_id)?;
        let origin = Origin {
            title: task.title.clone(),
            alliance_name: names.get(&task.alliance_id).cloned().unwrap_or_default(),
            due_on: task.due_on,
            source: task.source.clone(),
        };
        Some((link.task_id, origin))
    };
    Ok(links.into_iter().filter_map(origin).collect())
}

async fn names(
    db: &impl ConnectionTrait,
    ids: impl Iterator<Item = AllianceId>,
) -> Result<HashMap<AllianceId, String>> {
    let rows: Vec<(AllianceId, String)> = alliance::Entity::find()
        .select_only()
        .columns([alliance::Column::Id, alliance::Column::Name])
        .filter(alliance::Column::Id.is_in(ids))
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().collect())
}

/// What a task has come to, as a fraction in its lowest terms, from nothing to all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    pub numerator: BigUint,
    pub denominator: BigUint,
    /// How many parts it is made of that count; none where the task speaks for itself.
    pub parts: usize,
}

impl Progress {
    fn new(numerator: BigUint, denominator: BigUint, parts: usize) -> Self {
        let common = greatest_common(numerator.clone(), denominator.clone());
        Self { numerator: numerator / &common, denominator: denominator / common, parts }
    }

    fn reported(percent: i32) -> Self {
        let percent = u32::try_from(percent.clamp(0, 100)).unwrap_or_default();
        Self::new(percent.into(), 100_u32.into(), 0)
    }

    /// Whole percents, rounded down: 100 stands for nothing but all of it.
    pub fn percent(&self) -> u8 {
        let percent = &self.numerator * 100_u32 / &self.denominator;
        u8::try_from(percent).unwrap_or(100)
    }
}

fn greatest_common(mut one: BigUint, mut other: BigUint) -> BigUint {
    let none = BigUint::from(0_u32);
    while other != none {
        (one, other) = (other.clone(), one % other);
    }
    one
}

/// A task as the cascade sees it.
#[derive(Clone, Debug)]
pub struct Leaf {
    pub state: State,
    pub percent: i32,
    /// Its parts with their weights.
    pub parts: Vec<(PriorityTaskId, u32)>,
    /// What it had come to when it was carried over, where it had parts.
    pub kept: Option<Progress>,
}

/// Tasks with all that is below them.
#[derive(Clone, Debug, Default)]
pub struct Tree(pub HashMap<PriorityTaskId, Leaf>);

impl Tree {
    /// What a task has come to, from its own state and all below it.
    pub fn progress(&self, id: PriorityTaskId) -> Progress {
        self.rolled(id, &mut Vec::new())
    }

    fn rolled(&self, id: PriorityTaskId, above: &mut Vec<PriorityTaskId>) -> Progress {
        let Some(task) = self.0.get(&id) else { return Progress::reported(0) };
        match task.state {
            State::Completed => return Progress::reported(100),
            State::Cancelled | State::CarriedOver => {
                return task.kept.clone().unwrap_or_else(|| Progress::reported(task.percent));
            }
            _ => {}
        }
        above.push(id);
        let (mut numerator, mut denominator) = (BigUint::from(0_u32), BigUint::from(1_u32));
        let (mut weights, mut counted) = (BigUint::from(0_u32), 0);
        for (part, weight) in &task.parts {
            let is_counted = self.0.get(part).is_some_and(|part| counts(part.state));
            // No verb makes a circle; one that is there all the same is not walked.
            if !is_counted || above.contains(part) {
                continue;
            }
            let come_to = self.rolled(*part, above);
            numerator = numerator * &come_to.denominator + come_to.numerator * *weight * &denominator;
            denominator *= come_to.denominator;
            weights += *weight;
            counted += 1;
        }
        above.pop();
        if counted == 0 {
            return Progress::reported(task.percent);
        }
        Progress::new(numerator, denominator * weights, counted)
    }
}

/// Reads tasks with all that is below them, a statement for each level. The caller has read the tasks.
pub async fn gather(db: &impl ConnectionTrait, roots: &[PriorityTaskId]) -> Result<Tree> {
    use priority_task::Column;
    let rows: Vec<(PriorityTaskId, State, i32)> = priority_task::Entity::find()
        .select_only()
        .columns([Column::Id, Column::State, Column::Percent])
        .filter(Column::Id.is_in(roots.iter().copied()))
        .into_tuple()
        .all(db)
        .await?;
    let leaf = |state, percent| Leaf { state, percent, parts: Vec::new(), kept: None };
    let mut tree = Tree(rows.into_iter().map(|(id, state, percent)| (id, leaf(state, percent))).collect());
    keep(db, &mut tree).await?;
    let mut edge: Vec<PriorityTaskId> = roots.to_vec();
    for _ in 0..LEVELS {
        let below: Vec<(PriorityTaskId, PriorityTaskId, i32, State, i32)> = task_part::Entity::find()
            .join(JoinType::InnerJoin, task_part::Relation::Task.def())
            .select_only()
            .columns([task_part::Column::ParentTaskId, task_part::Column::TaskId, task_part::Column::Weight])
            .columns([Column::State, Column::Percent])
            .filter(task_part::Column::ParentTaskId.is_in(edge.iter().copied()))
            .into_tuple()
            .all(db)
            .await?;
        edge.clear();
        for (parent, part, weight, state, percent) in below {
            let weight = u32::try_from(weight).unwrap_or_default();
            if let Some(parent) = tree.0.get_mut(&parent) {
                parent.parts.push((part, weight));
            }
            if let std::collections::hash_map::Entry::Vacant(place) = tree.0.entry(part) {
                place.insert(leaf(state, percent));
                edge.push(part);
            }
        }
        if edge.is_empty() {
            break;
        }
    }
    Ok(tree)
}

/// Puts in what tasks that were carried over had come to by then; below another, such a task does not count.
async fn keep(db: &impl ConnectionTrait, tree: &mut Tree) -> Result<()> {
    let over = tree.0.iter().filter(|(_, leaf)| leaf.state == State::CarriedOver);
    let over: Vec<PriorityTaskId> = over.map(|(id, _)| *id).collect();
    if over.is_empty() {
        return Ok(());
    }
    let links = task_carry_over::Entity::find()
        .filter(task_carry_over::Column::FromTaskId.is_in(over))
        .all(db)
        .await?;
    for link in links {
        let (Some(numerator), Some(denominator)) = (link.numerator, link.denominator) else { continue };
        let number = |text: String| text.parse::<BigUint>().map_err(Error::internal);
        let kept = Progress::new(number(numerator)?, number(denominator)?, 0);
        if let Some(leaf) = tree.0.get_mut(&link.from_task_id) {
            leaf.kept = Some(kept);
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "cascade_tests.rs"]
mod tests;
