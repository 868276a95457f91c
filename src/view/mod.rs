//! A running run on the terminal: a line for each step, its verdicts, and what is going on now.
//!
//! It reads records and nothing else. `feed` turns them into lines (pure); where there is a
//! terminal, `live` adds a few lines that follow the pods and the answers.

mod feed;
mod live;

use std::sync::Arc;

use console::Term;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Duration, Instant};

use self::feed::Feed;
use self::live::Live;
use crate::history::Record;

/// The live lines are drawn at most this often.
const FRAME: Duration = Duration::from_millis(100);

/// How a run is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Lines as they happen, and live lines below them where this is a terminal.
    Follow,
    /// Each scenario in one piece when it has ended: several run at the same time.
    Whole,
}

/// Shows records until there are no more.
#[must_use]
pub fn show(mut records: mpsc::UnboundedReceiver<Arc<Record>>, style: Style) -> JoinHandle<()> {
    tokio::spawn(async move {
        let term = Term::stdout();
        let mut screen = Screen {
            live: (style == Style::Follow && term.is_term()).then(Live::default),
            term,
            drawn: 0,
        };
        let mut feed = Feed::new(style == Style::Whole);
        let mut next_frame: Option<Instant> = None;
        loop {
            let frame = next_frame.unwrap_or_else(Instant::now);
            tokio::select! {
                record = records.recv() => {
                    let Some(record) = record else { break };
                    let lines = feed.take(&record);
                    if let Some(live) = &mut screen.live {
                        live.take(&record);
                        next_frame.get_or_insert_with(|| Instant::now() + FRAME);
                    }
                    if !lines.is_empty() {
                        screen.print(&lines);
                    }
                }
                () = tokio::time::sleep_until(frame), if next_frame.is_some() => {
                    next_frame = None;
                    screen.redraw();
                }
            }
        }
        screen.clear();
    })
}

/// The terminal, with some live lines at its end. A terminal that goes away loses the view, not
/// the run; that is why its errors are left alone.
struct Screen {
    term: Term,
    live: Option<Live>,
    drawn: usize,
}

impl Screen {
    fn print(&mut self, lines: &[String]) {
        self.clear();
        for line in lines {
            let _ = self.term.write_line(line);
        }
        self.draw();
    }

    fn redraw(&mut self) {
        self.clear();
        self.draw();
    }

    fn draw(&mut self) {
        let Some(live) = &self.live else { return };
        let width = usize::from(self.term.size().1);
        for line in live.lines() {
            let fitting = console::truncate_str(&line, width.saturating_sub(1), "…");
            if self.term.write_line(&fitting).is_ok() {
                self.drawn += 1;
            }
        }
    }

    fn clear(&mut self) {
        let _ = self.term.clear_last_lines(self.drawn);
        self.drawn = 0;
    }
}
