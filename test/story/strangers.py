"""Strangers at a head's port: python3 strangers.py ADDRESS PORT RUN TOKEN INSTANCE WORK_DIR

Prints one line for each thing tried: "<name> <what came back>".
"""
import socket, ssl, subprocess, sys, time

address, port, run, token, instance, work = sys.argv[1:7]
where = (address, int(port))


def hear(s, wait=3):
    s.settimeout(wait)
    got = b""
    try:
        while chunk := s.recv(65536):
            got += chunk
    except (OSError, ssl.SSLError):
        pass
    return got


def plain(data):
    with socket.create_connection(where, 5) as s:
        s.sendall(data)
        return hear(s)


def tls(alpn, key=None):
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    c.check_hostname, c.verify_mode = False, ssl.CERT_NONE
    c.set_alpn_protocols([alpn] if alpn else [])
    if key:
        c.load_cert_chain(key + ".crt", key + ".key")
    return c.wrap_socket(socket.create_connection(where, 5))


def varint(n):
    out = b""
    while n > 127:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])


def text(number, value):
    value = value if isinstance(value, bytes) else value.encode()
    return varint(number << 3 | 2) + varint(len(value)) + value


def join(run, token, instance):
    body = text(1, run) + text(2, instance) + text(3, token) + varint(4 << 3) + varint(1)
    return text(2, body)


def frame(data):
    return len(data).to_bytes(4, "big") + data


def say(name, got):
    kind = "nothing" if not got else "alert" if got[0] == 21 else "refuse" if b"\x22" in got[4:6] \
        else "welcome" if b"\x1a" in got[4:6] else repr(got[:40])
    print(name, kind, flush=True)


def linked(name, *frames):
    try:
        with tls("dayfly/1", work + "/key") as s:
            for f in frames:
                s.sendall(f)
            say(name, hear(s))
    except (OSError, ssl.SSLError):
        say(name, b"")


subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                "-nodes", "-keyout", work + "/key.key", "-out", work + "/key.crt", "-days", "1",
                "-subj", "/CN=x"], check=True, capture_output=True)

say("http-without-tls", plain(b"GET /agent HTTP/1.1\r\nHost: x\r\n\r\n"))
say("garbage", plain(b"\x00\xff" * 4000))
time.sleep(1.1)  # ten a second and address
try:
    with tls("dayfly/1") as s:
        s.sendall(frame(join(run, token, instance)))
        say("link-without-a-key", hear(s))
except (OSError, ssl.SSLError):
    say("link-without-a-key", b"")
linked("frame-of-garbage", frame(b"\xff" * 100))
linked("frame-too-long", b"\xff\xff\xff\xff")
linked("order-before-join", frame(text(7, b"")))
linked("wrong-token", frame(join(run, "0" * 64, instance)))
time.sleep(1.1)
linked("wrong-run", frame(join("zzzz", token, instance)))
linked("right-token-wrong-address", frame(join(run, token, instance)))
linked("right-token-unknown-instance", frame(join(run, token, "i-0123456789abcdef0")))
linked("long-instance", frame(join(run, token, "i-" + "0" * 3000)))
time.sleep(1.1)
with tls("http/1.1") as s:
    s.sendall(b"GET /../journal.db HTTP/1.1\r\nHost: x\r\n\r\n")
    print("http-other", hear(s).split(b"\r\n")[0].decode(), flush=True)

# The flood: more silent connections than there are places for strangers, for a while.
idle = []
for wave in range(4):
    for _ in range(30):
        try:
            idle.append(socket.create_connection(where, 2))
        except OSError:
            pass
    time.sleep(1)
print("flood", len(idle), flush=True)
