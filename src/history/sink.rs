//! The file of a history: JSON, a record a line, written as it happens.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;

use super::record::{Entry, Record};

/// Why a history could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// The file could not be made.
    #[error("could not create the history {}", path.display())]
    Create {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file could not be read.
    #[error("could not read the history {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line is no record.
    #[error("line {line} of the history {} is no record", path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// Why.
        source: serde_json::Error,
    },
}

/// Where records go as they happen: to a file, and to whoever shows them. Clones share both.
#[derive(Debug, Clone, Default)]
pub struct Sink {
    file: Option<Arc<Mutex<BufWriter<File>>>>,
    live: Option<mpsc::UnboundedSender<Arc<Record>>>,
}

impl Sink {
    /// Writes nothing.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Writes to a new file, replacing an older one.
    ///
    /// # Errors
    /// [`SinkError::Create`].
    pub fn create(path: &Path) -> Result<Self, SinkError> {
        let file = File::create(path).map_err(|source| SinkError::Create {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            file: Some(Arc::new(Mutex::new(BufWriter::new(file)))),
            live: None,
        })
    }

    /// The same sink, which also hands each record to a receiver.
    #[must_use]
    pub fn live(self) -> (Self, mpsc::UnboundedReceiver<Arc<Record>>) {
        let (live, records) = mpsc::unbounded_channel();
        (
            Self {
                live: Some(live),
                ..self
            },
            records,
        )
    }

    /// Writes a record. Samples may wait in the buffer for the next other record, so that a fast
    /// flow costs no system call each; everything else is on disk when this returns.
    pub(super) fn write(&self, record: &Arc<Record>) {
        if let Some(live) = &self.live {
            // Nobody looks any more; the file is what counts.
            let _ = live.send(Arc::clone(record));
        }
        let Some(file) = &self.file else { return };
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        let written = serde_json::to_writer(&mut *file, &**record)
            .map_err(io::Error::from)
            .and_then(|()| file.write_all(b"\n"))
            .and_then(|()| match record.entry {
                Entry::Sample(_) => Ok(()),
                _ => file.flush(),
            });
        if let Err(error) = written {
            tracing::error!(%error, "writing the history");
        }
    }
}

/// Reads a history. A last line that was cut off in the middle is left out: a killed run leaves
/// what it had.
///
/// # Errors
/// [`SinkError::Read`] and [`SinkError::Record`].
pub fn read(path: &Path) -> Result<Vec<Arc<Record>>, SinkError> {
    let cannot_read = |source| SinkError::Read {
        path: path.to_owned(),
        source,
    };
    let lines: Vec<String> = BufReader::new(File::open(path).map_err(cannot_read)?)
        .lines()
        .collect::<io::Result<_>>()
        .map_err(cannot_read)?;
    let mut records = Vec::with_capacity(lines.len());
    for (index, line) in lines.iter().enumerate() {
        match serde_json::from_str::<Record>(line) {
            Ok(record) => records.push(Arc::new(record)),
            Err(error) if error.is_eof() && index + 1 == lines.len() => {}
            Err(source) => {
                return Err(SinkError::Record {
                    path: path.to_owned(),
                    line: index + 1,
                    source,
                });
            }
        }
    }
    Ok(records)
}

#[cfg(test)]
mod tests {
    use super::super::record::Note;
    use super::super::{Clock, History};
    use super::*;

    #[test]
    fn what_was_written_is_read_and_a_cut_line_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.jsonl");
        let history = History::new(3, Clock::start(), Sink::create(&path).unwrap());
        for text in ["one", "two"] {
            history.append(Entry::Note(Note {
                text: text.to_owned(),
            }));
        }
        assert_eq!(read(&path).unwrap(), history.records());

        let whole = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() - 5]).unwrap();
        assert_eq!(read(&path).unwrap(), history.records()[..1]);

        std::fs::write(&path, format!("nonsense\n{whole}")).unwrap();
        let error = read(&path).unwrap_err();
        assert!(
            matches!(error, SinkError::Record { line: 1, .. }),
            "{error}"
        );
    }
}
