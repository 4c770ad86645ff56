//! tokio: the echo server, a task a connection, on the current-thread runtime.
//!
//!   cargo run --release --bin echo [accept]

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

async fn serve(mut connection: TcpStream) {
    let mut buffer = vec![0u8; 65536];
    loop {
        match connection.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(size) => {
                if connection.write_all(&buffer[..size]).await.is_err() {
                    return;
                }
            }
        }
    }
}

async fn accept_all(closes: bool) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("port {}", listener.local_addr().unwrap().port());
    loop {
        let (connection, _) = listener.accept().await.unwrap();
        if closes {
            continue;
        }
        connection.set_nodelay(true).unwrap();
        tokio::spawn(serve(connection));
    }
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()
        .unwrap();
    let ten_minutes = std::time::Duration::from_secs(600);
    let closes = std::env::args().nth(1).as_deref() == Some("accept");
    let _ = runtime.block_on(async {
        tokio::time::timeout(ten_minutes, accept_all(closes)).await
    });
}
