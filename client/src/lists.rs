//! Lists, SQL and queues: pages one by one, or all of them in a row.

use hyper::body::Bytes;

use crate::client::segment;
use crate::retry::Repeat;
use crate::transport::Download;
use crate::wire::{
    EmptyBody, QueryAnswer, QueryBody, QueueList, RunList, RunState, RunSummary, TaskList,
    TaskState, TaskSummary,
};
use crate::{Client, Error};

/// Which tasks are listed. Filters are ANDed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskFilter {
    /// Of this kind.
    pub kind: Option<String>,
    /// In this queue.
    pub queue: Option<String>,
    /// With this tag.
    pub tag: Option<String>,
    /// In this state.
    pub state: Option<TaskState>,
    /// With this parent.
    pub parent_task_id: Option<String>,
    /// Created then or later, as RFC 3339.
    pub created_after: Option<String>,
    /// Created before, as RFC 3339.
    pub created_before: Option<String>,
    /// With these words, each the beginning of a word in its kind, tags, description or errors.
    pub q: Option<String>,
}

/// Which runs are listed. Filters are ANDed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// In this state.
    pub state: Option<RunState>,
    /// Of this task.
    pub task_id: Option<String>,
    /// In this queue.
    pub queue: Option<String>,
    /// Of this kind.
    pub kind: Option<String>,
    /// Of tasks with this tag.
    pub tag: Option<String>,
    /// Held by this worker, or last worked on by it.
    pub worker: Option<String>,
    /// Whose last ended attempt had this error.
    pub error_code: Option<String>,
    /// Created then or later, as RFC 3339.
    pub created_after: Option<String>,
    /// Created before, as RFC 3339.
    pub created_before: Option<String>,
    /// Of tasks with these words, as in [`TaskFilter::q`].
    pub q: Option<String>,
}

/// Which page of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Rows at most, 1..=1000; 100 unless set.
    pub limit: Option<u32>,
    /// Rows to skip, at most 100,000. Not together with a cursor.
    pub offset: Option<u32>,
    /// Where the page before said that this one begins.
    pub cursor: Option<String>,
}

/// The pages of a list of tasks, from the first to the last.
#[derive(Clone, Debug)]
pub struct TaskPages {
    client: Client,
    filter: TaskFilter,
    /// The next page; none after the last.
    next: Option<Page>,
}

/// The pages of a list of runs, from the first to the last.
#[derive(Clone, Debug)]
pub struct RunPages {
    client: Client,
    filter: RunFilter,
    next: Option<Page>,
}

impl TaskPages {
    /// The rows of the next page, which may be none; `None` after the last page.
    ///
    /// # Errors
    /// See [`Error`]; the same page is asked for again by the next call.
    pub async fn next(&mut self) -> Result<Option<Vec<TaskSummary>>, Error> {
        let Some(page) = &mut self.next else {
            return Ok(None);
        };
        let list = self.client.list_tasks(&self.filter, page).await?;
        self.next = after(page, list.next_cursor);
        Ok(Some(list.tasks))
    }
}

impl RunPages {
    /// The rows of the next page, which may be none; `None` after the last page.
    ///
    /// # Errors
    /// See [`Error`]; the same page is asked for again by the next call.
    pub async fn next(&mut self) -> Result<Option<Vec<RunSummary>>, Error> {
        let Some(page) = &mut self.next else {
            return Ok(None);
        };
        let list = self.client.list_runs(&self.filter, page).await?;
        self.next = after(page, list.next_cursor);
        Ok(Some(list.runs))
    }
}

fn after(page: &Page, cursor: Option<String>) -> Option<Page> {
    cursor.map(|cursor| Page {
        limit: page.limit,
        offset: None,
        cursor: Some(cursor),
    })
}

/// Lists.
impl Client {
    /// One page of tasks: priority, highest first, then creation, then id.
    ///
    /// # Errors
    /// See [`Error`]; `cursor_expired` when the cursor is of another log.
    pub async fn list_tasks(&self, filter: &TaskFilter, page: &Page) -> Result<TaskList, Error> {
        let mut path = Target::new("/api/v1/tasks");
        path.add("kind", filter.kind.as_deref());
        path.add("queue", filter.queue.as_deref());
        path.add("tag", filter.tag.as_deref());
        path.add("state", filter.state.map(TaskState::name));
        path.add("parent_task_id", filter.parent_task_id.as_deref());
        path.add("created_after", filter.created_after.as_deref());
        path.add("created_before", filter.created_before.as_deref());
        path.add("q", filter.q.as_deref());
        path.add_page(page);
        self.get(path.0).await
    }

    /// One page of runs: due first, then by id.
    ///
    /// # Errors
    /// See [`Error`]; `cursor_expired` when the cursor is of another log.
    pub async fn list_runs(&self, filter: &RunFilter, page: &Page) -> Result<RunList, Error> {
        let mut path = Target::new("/api/v1/runs");
        path.add("state", filter.state.map(RunState::name));
        path.add("task_id", filter.task_id.as_deref());
        path.add("queue", filter.queue.as_deref());
        path.add("kind", filter.kind.as_deref());
        path.add("tag", filter.tag.as_deref());
        path.add("worker", filter.worker.as_deref());
        path.add("error_code", filter.error_code.as_deref());
        path.add("created_after", filter.created_after.as_deref());
        path.add("created_before", filter.created_before.as_deref());
        path.add("q", filter.q.as_deref());
        path.add_page(page);
        self.get(path.0).await
    }

    /// All pages of a list of tasks, `limit` rows each.
    #[must_use]
    pub fn task_pages(&self, filter: TaskFilter, limit: Option<u32>) -> TaskPages {
        TaskPages {
            client: self.clone(),
            filter,
            next: Some(Page {
                limit,
                ..Page::default()
            }),
        }
    }

    /// All pages of a list of runs, `limit` rows each.
    #[must_use]
    pub fn run_pages(&self, filter: RunFilter, limit: Option<u32>) -> RunPages {
        RunPages {
            client: self.clone(),
            filter,
            next: Some(Page {
                limit,
                ..Page::default()
            }),
        }
    }

    /// The queues with what is counted in them.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn queues(&self) -> Result<QueueList, Error> {
        self.get("/api/v1/queues".into()).await
    }

    /// Asks in SQL over the documented views.
    ///
    /// # Errors
    /// See [`Error`]; `query_refused` when it is not one `SELECT` over the views.
    pub async fn query(&self, query: &QueryBody<'_>) -> Result<QueryAnswer, Error> {
        self.post("/api/v1/query".into(), query, Repeat::Safe).await
    }
}

/// Backups.
impl Client {
    /// Has a backup made and begins to read it: a tar archive of a data directory.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn backup(&self) -> Result<BackupStream, Error> {
        let download = self
            .download("/api/v1/backup".into(), &EmptyBody {})
            .await?;
        Ok(BackupStream(download))
    }
}

/// A backup that is being read.
#[derive(Debug)]
pub struct BackupStream(Download);

impl BackupStream {
    /// Bytes of the whole archive.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.0.length()
    }

    /// The last event in it.
    #[must_use]
    pub fn sequence(&self) -> Option<u64> {
        self.0.sequence()
    }

    /// The next bytes; `None` once the archive is whole.
    ///
    /// # Errors
    /// [`Error::Transport`] when it breaks off.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        self.0.next().await
    }
}

/// A path with its query.
pub(crate) struct Target(String);

impl Target {
    pub(crate) fn new(path: &str) -> Target {
        Target(path.to_owned())
    }

    /// The path as it is sent.
    pub(crate) fn done(self) -> String {
        self.0
    }

    pub(crate) fn add(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.0.push(if self.0.contains('?') { '&' } else { '?' });
            self.0.push_str(name);
            self.0.push('=');
            self.0.push_str(&segment(value));
        }
    }

    pub(crate) fn add_page(&mut self, page: &Page) {
        self.add(
            "limit",
            page.limit.map(|limit| limit.to_string()).as_deref(),
        );
        let offset = page.offset.map(|offset| offset.to_string());
        self.add("offset", offset.as_deref());
        self.add("cursor", page.cursor.as_deref());
    }
}

#[cfg(test)]
mod tests {
    use super::{Page, Target, after};

    #[test]
    fn values_are_escaped_and_absent_ones_left_out() {
        let mut path = Target::new("/p");
        path.add("a", None);
        path.add("b", Some("x y&z+1:2"));
        path.add_page(&Page {
            limit: Some(7),
            offset: None,
            cursor: Some("c-_".into()),
        });
        assert_eq!(path.0, "/p?b=x%20y%26z%2B1%3A2&limit=7&cursor=c-_");
    }

    #[test]
    fn the_page_after_begins_at_its_cursor_and_skips_nothing() {
        let page = Page {
            limit: Some(7),
            offset: Some(3),
            cursor: None,
        };
        let next = after(&page, Some("c".into())).expect("a page");
        assert_eq!((next.limit, next.offset), (Some(7), None));
        assert_eq!(after(&page, None), None);
    }
}
