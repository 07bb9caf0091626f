//! Boards that many watch: for each order that somebody watches this process reads the places at most a few times a second, whoever
//! checks in meanwhile, and all who watch share what was read. A watcher that is slow misses states in between and never the
//! last; what it is sent is the difference to what it has. The table is the truth, so several nodes show the same.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use concord_entities::{
    event, event_seal, grid_cell,
    id::{MobilizationId, RegionId, TypedId},
    region::{self, Level},
};
use futures_util::{Stream, stream};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use tokio::{
    sync::{
        Notify,
        broadcast::error::{RecvError, TryRecvError},
        watch,
    },
    time::Instant,
};

use super::{
    cells,
    coverage::{self, Leaf, MOST, Of, Sums, View},
    find,
    reach::Within,
};
use crate::domain::{
    Code, Ctx, Error, Result,
    fact::{changes, follow::is_about_rights},
    feed::Sealed,
    page,
};

/// How often a board is made at most.
const TICK: Duration = Duration::from_millis(250);
/// How much longer than making it took a board rests, so that reading large orders leaves time for the rest.
const REST: u32 = 2;
/// How long a silent watcher goes without another look at its rights.
const IDLE: Duration = Duration::from_secs(5);

/// The boards of this process.
#[derive(Debug, Default)]
pub struct Boards(Mutex<HashMap<MobilizationId, Arc<Room>>>);

/// What is watched of one order.
#[derive(Debug)]
struct Room {
    /// Who sees as much and looks the same way shares what was made.
    views: Mutex<HashMap<(View, Within), Watched>>,
    /// Rung by whoever comes or goes.
    door: Notify,
}

#[derive(Debug)]
struct Watched {
    top: String,
    board: watch::Sender<Arc<Board>>,
}

/// The sums of a view at a moment.
#[derive(Debug, Default)]
struct Board {
    /// Everything sealed up to here is in it.
    position: i64,
    /// The last position of what happened to the order.
    about: i64,
    /// How often rights may have changed so far; it tells watchers to look.
    rights: u64,
    rows: Arc<Vec<Line>>,
    /// How many there are, of which those are shown.
    count: usize,
    is_made: bool,
}

/// One region or grid cell of a board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub sums: Sums,
    pub region: Option<Arc<region::Model>>,
    pub cell: Option<Arc<grid_cell::Model>>,
}

/// What changed since a watcher was last told.
#[derive(Clone, Debug)]
pub struct Delta {
    pub position: i64,
    /// Whether it is the whole board, as a watcher gets it first.
    pub is_whole: bool,
    pub rows: Vec<Line>,
    /// How many rows the board has, of which at most `MOST` are shown.
    pub count: usize,
}

fn unpoisoned<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Leaves the room with its watcher, so that it is closed at once when nobody is left.
struct Leaving(Arc<Room>);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.door.notify_one();
    }
}

struct Watcher {
    ctx: Ctx,
    of: MobilizationId,
    view: View,
    /// How much of the order they see; whoever comes to see more or less watches anew.
    within: Within,
    board: watch::Receiver<Arc<Board>>,
    sent: Option<Arc<Vec<Line>>>,
    /// What the watcher has from before: as long as nothing happened to the order since, it is told nothing.
    after: Option<i64>,
    rights: u64,
    looked_at: Instant,
    ended: bool,
    // Last, so that the board is let go before the room is told.
    _leaving: Leaving,
}

/// Watches the board of an order: the whole of it first, then what changes. Whoever brings the last position that they have gets the
/// whole once something has happened since; a position that was never given is one of another database.
pub async fn watch(
    ctx: &Ctx,
    of: MobilizationId,
    view: View,
    after: Option<i64>,
) -> Result<impl Stream<Item = Result<Delta>> + use<>> {
    changes::require_visible(ctx, changes::Filter::default()).await?;
    match after {
        Some(after) if after < 0 => {
            return Err(Error::invalid(Code::OutOfRange, "after").with("least", 0).with("most", i64::MAX));
        }
        Some(after) => changes::require_known(ctx, after).await?,
        None => {}
    }
    let order = find(ctx, of).await?.ok_or(Error::NotFound("mobilization"))?;
    let (top, within) = coverage::outlook(ctx, &order, view).await?;
    let (room, board) = join(ctx, of, (view, within.clone()), top);
    let watcher = Watcher {
        ctx: ctx.clone(),
        of,
        view,
        within,
        board,
        sent: None,
        after,
        rights: 0,
        looked_at: Instant::now(),
        ended: false,
        _leaving: Leaving(room),
    };
    Ok(stream::unfold(watcher, |mut watcher| async move {
        let item = watcher.next().await?;
        Some((item, watcher))
    }))
}

impl Watcher {
    async fn next(&mut self) -> Option<Result<Delta>> {
        if self.ended {
            return None;
        }
        let next = self.wait().await;
        self.ended = next.is_err();
        Some(next)
    }

    async fn wait(&mut self) -> Result<Delta> {
        loop {
            let board = self.board.borrow_and_update().clone();
            if board.rights != self.rights || self.looked_at.elapsed() >= IDLE {
                self.may_watch().await?;
                self.rights = board.rights;
                self.looked_at = Instant::now();
            }
            if let Some(delta) = self.delta(&board) {
                return Ok(delta);
            }
            match tokio::time::timeout(IDLE, self.board.changed()).await {
                // Rights may have lapsed by the clock alone.
                Err(_) | Ok(Ok(())) => {}
                Ok(Err(_)) => return Err(Error::internal("a board was taken down while somebody watched")),
            }
        }
    }

    /// Whether they may still watch what they watch.
    async fn may_watch(&self) -> Result<()> {
        changes::require_visible(&self.ctx, changes::Filter::default()).await?;
        let within = Within::of(&self.ctx, self.of).await?;
        if within.as_ref() != Some(&self.within) {
            return Err(Error::NotFound("mobilization"));
        }
        match self.view.cells {
            Some(cells) => cells.check(&self.ctx).await,
            None => Ok(()),
        }
    }

    /// What this watcher has not been told of a board.
    fn delta(&mut self, board: &Board) -> Option<Delta> {
        let is_known = |after| board.about <= after;
        if !board.is_made || (self.sent.is_none() && self.after.is_some_and(is_known)) {
            return None;
        }
        let changed = match &self.sent {
            None => None,
            Some(sent) if Arc::ptr_eq(sent, &board.rows) => return None,
            Some(sent) => changed(sent, &board.rows),
        };
        let is_whole = changed.is_none();
        let rows = changed.unwrap_or_else(|| board.rows.to_vec());
        self.sent = Some(board.rows.clone());
        (is_whole || !rows.is_empty()).then_some(Delta {
            position: board.position,
            is_whole,
            rows,
            count: board.count,
        })
    }
}

/// The rows of a board that differ from those before; nothing where one is gone, which only the whole can tell.
fn changed(before: &[Line], now: &[Line]) -> Option<Vec<Line>> {
    let mut known: HashMap<Of, &Sums> = before.iter().map(|line| (line.sums.of, &line.sums)).collect();
    let differs =
        now.iter().filter(|line| known.remove(&line.sums.of).is_none_or(|known| *known != line.sums));
    let differs = differs.cloned().collect();
    known.is_empty().then_some(differs)
}

/// Joins those who watch an order; the first opens the room.
fn join(
    ctx: &Ctx,
    of: MobilizationId,
    view: (View, Within),
    top: String,
) -> (Arc<Room>, watch::Receiver<Arc<Board>>) {
    let mut rooms = unpoisoned(&ctx.app.boards.0);
    let room = rooms.entry(of).or_insert_with(|| {
        let room = Arc::new(Room { views: Mutex::default(), door: Notify::new() });
        tokio::spawn(keep(Ctx::system(&ctx.app), of, room.clone()));
        room
    });
    let mut views = unpoisoned(&room.views);
    let watched = views
        .entry(view)
        .or_insert_with(|| Watched { top, board: watch::Sender::new(Arc::new(Board::default())) });
    let board = watched.board.subscribe();
    drop(views);
    room.door.notify_one();
    (room.clone(), board)
}

/// Takes down what nobody watches any more; tells whether anything is left. New watchers join under the same lock.
fn tidy(ctx: &Ctx, of: MobilizationId, room: &Room) -> bool {
    let mut rooms = unpoisoned(&ctx.app.boards.0);
    let mut views = unpoisoned(&room.views);
    views.retain(|_, watched| watched.board.receiver_count() > 0);
    if views.is_empty() {
        rooms.remove(&of);
    }
    !views.is_empty()
}

/// What a room keeps between boards.
#[derive(Default)]
struct Known {
    regions: HashMap<Of, Arc<region::Model>>,
    levels: HashMap<RegionId, Level>,
    rights: u64,
    /// The last position of what happened to the order; absent where some of it may have been missed.
    about: Option<i64>,
}

impl Known {
    /// Takes note of something sealed; tells whether the boards may have to be made anew.
    fn hear(&mut self, of: MobilizationId, sealed: &Sealed) -> bool {
        let is_about = sealed.event.subject_id == of.0;
        if is_about {
            self.about = self.about.map(|about| about.max(sealed.position));
        }
        let is_right = is_about_rights(&sealed.event.kind);
        self.rights += u64::from(is_right);
        is_about || is_right
    }

    /// Something was missed, which may have been about anything.
    fn miss(&mut self) {
        self.rights += 1;
        self.about = None;
    }
}

/// Keeps the boards of an order as long as somebody watches.
async fn keep(ctx: Ctx, of: MobilizationId, room: Arc<Room>) {
    // Listening begins before reading: what is sealed in between rings.
    let mut listener = ctx.app.feed.listen();
    let mut known = Known::default();
    while tidy(&ctx, of, &room) {
        let began = Instant::now();
        if let Err(error) = make(&ctx, of, &room, &mut known).await {
            tracing::warn!(mobilization.id = %of, ?error, "a board could not be made; it is tried again");
        }
        tokio::time::sleep(TICK.max(began.elapsed() * REST)).await;
        let mut rung = false;
        let patience = Instant::now() + IDLE;
        while !rung {
            tokio::select! {
                () = room.door.notified() => rung = true,
                heard = tokio::time::timeout_at(patience, listener.recv()) => match heard {
                    Ok(Ok(sealed)) => rung = known.hear(of, &sealed),
                    Ok(Err(RecvError::Lagged(_))) => {
                        known.miss();
                        rung = true;
                    }
                    // Another look now and then, whatever rings.
                    Err(_) => rung = true,
                    Ok(Err(RecvError::Closed)) => return,
                },
            }
        }
        // One board answers all that rang meanwhile.
        loop {
            match listener.try_recv() {
                Ok(sealed) => drop(known.hear(of, &sealed)),
                Err(TryRecvError::Lagged(_)) => known.miss(),
                Err(_) => break,
            }
        }
    }
}

/// The last position of what happened to an order.
async fn last_about(ctx: &Ctx, of: MobilizationId) -> Result<i64> {
    let last = event_seal::Entity::find()
        .select_only()
        .column(event_seal::Column::Position)
        .inner_join(event::Entity)
        .filter(event::Column::SubjectKind.eq(MobilizationId::NOUN))
        .filter(event::Column::SubjectId.eq(of.0))
        .order_by_desc(event_seal::Column::Position)
        .limit(1)
        .into_tuple::<i64>()
        .one(ctx.read())
        .await?;
    Ok(last.unwrap_or_default())
}

/// Makes the boards of all views from one reading of the places.
async fn make(ctx: &Ctx, of: MobilizationId, room: &Room, known: &mut Known) -> Result<()> {
    // Read before the places: whatever was sealed by then is in them.
    let position = changes::head(ctx).await?;
    let about = match known.about {
        Some(about) => about,
        None => last_about(ctx, of).await?,
    };
    known.about = Some(about);
    let leaves: Vec<Leaf> = coverage::leaves(ctx, of).await?;
    let views: Vec<((View, Within), String)> =
        unpoisoned(&room.views).iter().map(|(view, watched)| (view.clone(), watched.top.clone())).collect();
    for ((view, within), top) in views {
        coverage::learn_levels(ctx, &leaves, view.level, &mut known.levels).await?;
        let seen: Vec<&Leaf> = leaves.iter().filter(|leaf| within.holds(&leaf.path)).collect();
        let mut cells: HashMap<Of, Arc<grid_cell::Model>> = HashMap::new();
        let mut sums = match view.cells {
            Some(wanted) => {
                let order = find(ctx, of).await?.ok_or(Error::NotFound("mobilization"))?;
                let standing = cells::standing(ctx, wanted, &order).await?;
                let sums = cells::board(&seen, &top, &standing);
                cells.extend(standing.into_iter().map(|(cell, _)| (Of::Cell(cell.id), Arc::new(cell))));
                sums
            }
            None => coverage::board(&seen, &top, view.level, &known.levels),
        };
        let count = sums.len();
        if count > MOST {
            // Of more than fit always the same.
            sums.sort_unstable_by(|one, other| one.key.cmp(&other.key));
            sums.truncate(MOST);
        }
        learn(ctx, &sums, known).await?;
        let rows: Vec<Line> = sums
            .into_iter()
            .map(|sums| Line {
                region: known.regions.get(&sums.of).cloned(),
                cell: cells.get(&sums.of).cloned(),
                sums,
            })
            .collect();
        if let Some(watched) = unpoisoned(&room.views).get(&(view, within)) {
            watched.board.send_if_modified(|board| {
                let is_new = !board.is_made || *board.rows != rows;
                let is_told = is_new || board.rights != known.rights || board.about != about;
                if is_told {
                    let rows = if is_new { Arc::new(rows) } else { board.rows.clone() };
                    let rights = known.rights;
                    *board = Arc::new(Board { position, about, rights, rows, count, is_made: true });
                }
                is_told
            });
        }
    }
    Ok(())
}

/// Reads the regions of a board that are not known yet.
async fn learn(ctx: &Ctx, sums: &[Sums], known: &mut Known) -> Result<()> {
    let unknown: Vec<RegionId> = sums
        .iter()
        .filter(|sums| !known.regions.contains_key(&sums.of))
        .filter_map(|sums| match sums.of {
            Of::Region(region) => Some(region),
            Of::Cell(_) => None,
        })
        .collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let rows =
        region::Entity::find().filter(page::among(ctx, region::Column::Id, unknown)).all(ctx.read()).await?;
    known.regions.extend(rows.into_iter().map(|row| (Of::Region(row.id), Arc::new(row))));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(of: RegionId, present: i64) -> Line {
        let sums = Sums { present, ..Sums::none(Of::Region(of), "") };
        Line { sums, region: None, cell: None }
    }

    #[test]
    fn what_differs_is_told_and_what_is_gone_by_the_whole() {
        let [one, two] = [RegionId::default(), RegionId(uuid::Uuid::max())];
        let before = [line(one, 1), line(two, 1)];
        assert_eq!(changed(&before, &before), Some(Vec::new()));
        assert_eq!(changed(&before, &[line(one, 1), line(two, 2)]), Some(vec![line(two, 2)]));
        assert_eq!(changed(&before[..1], &before), Some(vec![line(two, 1)]));
        assert_eq!(changed(&before, &before[..1]), None);
    }
}
