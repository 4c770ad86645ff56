//! tokio: core_paths' paths, on the current-thread runtime.
//!
//!   cargo run --release -- PATH COUNT [SIZE]
//!
//! What is measured runs in a task, not in block_on(). There is no `await`: of a
//! future that is ready at once the compiler leaves nothing.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, Mutex, Notify, Semaphore};
use tokio::task::JoinHandle;

extern "C" {
    fn clock_gettime(clock: i32, time: *mut [i64; 2]) -> i32;
}
/// Of this process, in seconds.
fn cpu() -> f64 {
    let mut time = [0i64; 2];
    unsafe { clock_gettime(2, &mut time) };
    time[0] as f64 + time[1] as f64 / 1e9
}

fn print_ns(path: &str, count: u64, size: u64, seconds: f64) {
    println!("{path} {count} {size} ns={:.2}", seconds * 1e9 / count as f64);
}

struct Random(u64);
impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}
const SEED: u64 = 0x9e3779b97f4a7c15;

async fn identity(value: u64) -> u64 {
    value
}

/// Once around the run queue: tokio's own yield_now() defers to the driver.
struct Yield(bool);
impl Future for Yield {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.0 {
            return Poll::Ready(());
        }
        self.0 = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

async fn join<T>(tasks: Vec<JoinHandle<T>>) {
    for task in tasks {
        let _ = task.await;
    }
}

fn sleepers_asleep(count: u64) -> Vec<JoinHandle<()>> {
    (0..count)
        .map(|_| tokio::spawn(tokio::time::sleep(Duration::from_secs(3600))))
        .collect()
}

fn resident() -> f64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: f64 = text.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096.0
}

type Sleep = Pin<Box<tokio::time::Sleep>>;

/// Registers it with the driver: a Sleep is armed when it is polled.
async fn arm(sleep: &mut Sleep) {
    std::future::poll_fn(|cx| {
        let _ = sleep.as_mut().poll(cx);
        Poll::Ready(())
    })
    .await
}
async fn armed(count: u64) -> Vec<Sleep> {
    let mut random = Random(SEED);
    let mut all = Vec::new();
    for _ in 0..count {
        let delay = Duration::from_nanos(60_000_000_000 + random.below(60_000_000_000));
        let mut sleep = Box::pin(tokio::time::sleep(delay));
        arm(&mut sleep).await;
        all.push(sleep);
    }
    all
}

async fn measure(path: String, count: u64, size: u64) -> bool {
    let mut random = Random(SEED);
    match path.as_str() {
        "spawn_await" => {
            let mut sum = 0;
            let start = cpu();
            for i in 0..count {
                sum += tokio::spawn(identity(i)).await.unwrap();
            }
            print_ns(&path, count, (sum == 1) as u64, cpu() - start);
        }
        "spawn_many" => {
            let mut tasks = Vec::with_capacity(count as usize);
            let start = cpu();
            for i in 0..count {
                tasks.push(tokio::spawn(identity(i)));
            }
            join(tasks).await;
            print_ns(&path, count, 0, cpu() - start);
        }
        "yield" => {
            let start = cpu();
            let tasks = (0..size)
                .map(|_| {
                    tokio::spawn(async move {
                        for _ in 0..count / size {
                            Yield(false).await;
                        }
                    })
                })
                .collect();
            join::<()>(tasks).await;
            print_ns(&path, count, size, cpu() - start);
        }
        "cancel" => {
            let tasks = sleepers_asleep(count);
            Yield(false).await;
            Yield(false).await;
            let start = cpu();
            for task in &tasks {
                task.abort();
            }
            join(tasks).await;
            print_ns(&path, count, 0, cpu() - start);
        }
        "memory" => {
            let before = resident();
            let tasks = sleepers_asleep(count);
            Yield(false).await;
            Yield(false).await;
            let handles = 8.0 * tasks.capacity() as f64;
            let bytes = (resident() - before - handles) / count as f64;
            println!("memory {count} 0 bytes={bytes:.1}");
        }
        "timer" => {
            let others = armed(size).await;
            let delays: Vec<_> = (0..1024)
                .map(|_| Duration::from_nanos(random.below(60_000_000_000)))
                .collect();
            let start = cpu();
            for i in 0..count {
                let delay = delays[i as usize % 1024];
                let mut sleep = std::pin::pin!(tokio::time::sleep(delay));
                std::future::poll_fn(|cx| {
                    let _ = sleep.as_mut().poll(cx);
                    Poll::Ready(())
                })
                .await;
            }
            print_ns(&path, count, size, cpu() - start);
            drop(others);
        }
        "rearm" => {
            let mut others = armed(size).await;
            let start = cpu();
            for _ in 0..count {
                let sleep = &mut others[random.below(size) as usize];
                let later = tokio::time::Instant::now() + Duration::from_secs(60);
                sleep.as_mut().reset(later);
            }
            print_ns(&path, count, size, cpu() - start);
        }
        "sleepers" => {
            let start = cpu();
            let tasks: Vec<_> = (0..count)
                .map(|_| {
                    let delay = Duration::from_nanos(random.below(1_000_000_000));
                    tokio::spawn(async move {
                        let due = Instant::now() + delay;
                        tokio::time::sleep(delay).await;
                        Instant::now().duration_since(due).as_secs_f64()
                    })
                })
                .collect();
            let mut late = Vec::with_capacity(count as usize);
            for task in tasks {
                late.push(task.await.unwrap());
            }
            let used = cpu() - start;
            late.sort_by(|a, b| a.partial_cmp(b).unwrap());
            let p99 = late[(count * 99 / 100) as usize] * 1e3;
            println!("sleepers {count} 0 cpu_s={used:.3} late_p99_ms={p99:.3}");
        }
        "lock" => {
            let mutex = Mutex::new(());
            let start = cpu();
            for _ in 0..count {
                drop(mutex.lock().await);
            }
            print_ns(&path, count, size, cpu() - start);
        }
        "semaphore" => {
            let semaphore = Semaphore::new(1);
            let start = cpu();
            for _ in 0..count {
                drop(semaphore.acquire().await);
            }
            print_ns(&path, count, size, cpu() - start);
        }
        "lock_contended" => {
            let mutex = Arc::new(Mutex::new(()));
            let start = cpu();
            let mut tasks = Vec::new();
            for _ in 0..size {
                let mutex = mutex.clone();
                tasks.push(tokio::spawn(async move {
                    for _ in 0..count / size {
                        let held = mutex.lock().await;
                        Yield(false).await;
                        drop(held);
                    }
                }));
            }
            join(tasks).await;
            print_ns(&path, count, size, cpu() - start);
        }
        "semaphore_contended" => {
            let semaphore = Arc::new(Semaphore::new(10));
            let start = cpu();
            let mut tasks = Vec::new();
            for _ in 0..size {
                let semaphore = semaphore.clone();
                tasks.push(tokio::spawn(async move {
                    for _ in 0..count / size {
                        let held = semaphore.acquire().await;
                        Yield(false).await;
                        drop(held);
                    }
                }));
            }
            join(tasks).await;
            print_ns(&path, count, size, cpu() - start);
        }
        "event" => {
            let events = Arc::new((Notify::new(), Notify::new()));
            let theirs = events.clone();
            let start = cpu();
            let other = tokio::spawn(async move {
                for _ in 0..count / 2 {
                    theirs.0.notified().await;
                    theirs.1.notify_one();
                }
            });
            for _ in 0..count / 2 {
                events.0.notify_one();
                events.1.notified().await;
            }
            other.await.unwrap();
            print_ns(&path, count, size, cpu() - start);
        }
        "waiters" => {
            let gate = Arc::new(Notify::new());
            let mut tasks = Vec::new();
            for _ in 0..size {
                let gate = gate.clone();
                tasks.push(tokio::spawn(async move {
                    for _ in 0..count / size {
                        gate.notified().await;
                    }
                }));
            }
            Yield(false).await;
            let start = cpu();
            for _ in 0..count / size {
                gate.notify_waiters();
                Yield(false).await;
            }
            print_ns(&path, count, size, cpu() - start);
            join(tasks).await;
        }
        "queue_items" => {
            let (sender, mut receiver) = mpsc::unbounded_channel::<u64>();
            for i in 0..size {
                sender.send(i).unwrap();
            }
            let start = cpu();
            for _ in 0..count {
                let item = receiver.try_recv().unwrap();
                sender.send(item).unwrap();
            }
            print_ns(&path, count, size, cpu() - start);
        }
        "queue" => {
            let (sender, mut receiver) = mpsc::channel::<u64>(size as usize);
            let start = cpu();
            tokio::spawn(async move {
                for i in 0..count {
                    sender.send(i).await.unwrap();
                }
            });
            let mut sum = 0;
            while let Some(item) = receiver.recv().await {
                sum += item;
            }
            print_ns(&path, count, size + (sum == 1) as u64, cpu() - start);
        }
        "process" => {
            let start = Instant::now();
            let workers = (0..size)
                .map(|_| {
                    tokio::spawn(async move {
                        for _ in 0..count / size {
                            let mut child =
                                tokio::process::Command::new("/bin/true")
                                    .spawn()
                                    .unwrap();
                            assert!(child.wait().await.unwrap().success());
                        }
                    })
                })
                .collect();
            join::<()>(workers).await;
            print_ns(&path, count, size, start.elapsed().as_secs_f64());
        }
        "channel" => {
            // Two runtimes.
            let (sender, mut receiver) = mpsc::channel::<u64>(size as usize);
            let start = Instant::now();
            let thread = std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .build()
                    .unwrap();
                runtime.block_on(async move {
                    for i in 0..count {
                        sender.send(i).await.unwrap();
                    }
                });
            });
            let mut sum = 0;
            while let Some(item) = receiver.recv().await {
                sum += item;
            }
            print_ns(
                &path,
                count,
                size + (sum == 1) as u64,
                start.elapsed().as_secs_f64(),
            );
            thread.join().unwrap();
        }
        "ping_pong" => {
            // Two runtimes; the threads take turns to sleep.
            let (left, mut left2) = mpsc::channel::<()>(1);
            let (right, mut right2) = mpsc::channel::<()>(1);
            let thread = std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .build()
                    .unwrap();
                runtime.block_on(async move {
                    while left2.recv().await.is_some() {
                        right.send(()).await.unwrap();
                    }
                });
            });
            let start = Instant::now();
            for _ in 0..count {
                left.send(()).await.unwrap();
                right2.recv().await.unwrap();
            }
            print_ns(&path, count, 0, start.elapsed().as_secs_f64());
            drop(left);
            thread.join().unwrap();
        }
        "post" => {
            // The nearest that it has: a task spawned from another thread.
            let left = Arc::new(AtomicI64::new(count as i64));
            let all = Arc::new(Notify::new());
            let handle = tokio::runtime::Handle::current();
            let (left2, all2) = (left.clone(), all.clone());
            let start = Instant::now();
            let thread = std::thread::spawn(move || {
                for _ in 0..count {
                    let (left, all) = (left2.clone(), all2.clone());
                    handle.spawn(async move {
                        if left.fetch_sub(1, Ordering::Relaxed) == 1 {
                            all.notify_one();
                        }
                    });
                }
            });
            all.notified().await;
            print_ns(&path, count, 0, start.elapsed().as_secs_f64());
            thread.join().unwrap();
        }
        _ => return false,
    }
    true
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.len() < 3 {
        std::process::exit(2);
    }
    let path = arguments[1].clone();
    let count: u64 = arguments[2].parse().unwrap();
    let size: u64 = arguments.get(3).map_or(0, |s| s.parse().unwrap());
    // As #[tokio::main(flavor = "current_thread")] makes it.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let known = runtime.block_on(async move {
        tokio::spawn(measure(path, count, size)).await.unwrap()
    });
    std::process::exit(if known { 0 } else { 2 });
}
