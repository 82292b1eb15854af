//! Keeps a panic inside the request that caused it.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

/// Resolves to `None` when the future panics. What it held is dropped with it; the engine behind `Handle` is not touched by
/// unwinding callers, for they share nothing with it but channels.
pub(crate) struct CatchPanic<F>(pub(crate) Pin<Box<F>>);

impl<F: Future> Future for CatchPanic<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match catch_unwind(AssertUnwindSafe(|| self.0.as_mut().poll(context))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(value)) => Poll::Ready(Some(value)),
            Err(_) => Poll::Ready(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::CatchPanic;

    #[tokio::test]
    async fn a_panic_ends_its_own_future_alone() {
        let fine = async { 7 };
        assert_eq!(CatchPanic(Box::pin(fine)).await, Some(7));
        let broken = async {
            tokio::task::yield_now().await;
            let empty: [u8; 0] = [];
            empty
                .iter()
                .position(|_| true)
                .expect("the test panics on purpose")
        };
        assert_eq!(CatchPanic(Box::pin(broken)).await, None);
    }
}
