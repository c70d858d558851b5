"""Sends a request to localhost through a C library, without its headers: tls_client.py LIBRARY PORT REQUEST"""
import ctypes
import ctypes.util
import socket
import sys

name, port, request = sys.argv[1], int(sys.argv[2]), sys.argv[3].encode()
p, c, n = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_long


def load(library):
    found = ctypes.util.find_library(library)
    if found is None:
        sys.exit(f"no library {library}")
    return ctypes.CDLL(found)


def function(library, symbol, result, *arguments):
    one = getattr(library, symbol)
    one.restype, one.argtypes = result, arguments
    return one


def connect():
    return socket.create_connection(("127.0.0.1", port))


def check(result, what):
    if not result:
        sys.exit(f"{what} failed")


def gnutls(parts, corked):
    lib = load("gnutls")
    session, credentials = p(), p()
    function(lib, "gnutls_init", ctypes.c_int, p, ctypes.c_int)(ctypes.byref(session), 2)
    function(lib, "gnutls_set_default_priority", ctypes.c_int, p)(session)
    function(lib, "gnutls_certificate_allocate_credentials", ctypes.c_int, p)(ctypes.byref(credentials))
    function(lib, "gnutls_credentials_set", ctypes.c_int, p, ctypes.c_int, p)(session, 1, credentials)
    s = connect()
    function(lib, "gnutls_transport_set_int2", None, p, ctypes.c_int, ctypes.c_int)(session, s.fileno(), s.fileno())
    check(function(lib, "gnutls_handshake", ctypes.c_int, p)(session) == 0, "handshake")
    send = function(lib, "gnutls_record_send", n, p, c, ctypes.c_size_t)
    if corked:
        function(lib, "gnutls_record_cork", None, p)(session)
    for part in parts:
        check(send(session, part, len(part)) == len(part), "send")
    if corked:
        function(lib, "gnutls_record_uncork", ctypes.c_int, p, ctypes.c_uint)(session, 1)
    receive = function(lib, "gnutls_record_recv", n, p, p, ctypes.c_size_t)
    into = ctypes.create_string_buffer(4096)
    again = (-28, -52)
    while (received := receive(session, into, len(into))) > 0 or received in again:
        pass
    function(lib, "gnutls_deinit", None, p)(session)


def wolfssl():
    lib = load("wolfssl")
    function(lib, "wolfSSL_Init", ctypes.c_int)()
    context = function(lib, "wolfSSL_CTX_new", p, p)(function(lib, "wolfTLSv1_2_client_method", p)())
    function(lib, "wolfSSL_CTX_set_verify", None, p, ctypes.c_int, p)(context, 0, None)
    ssl = function(lib, "wolfSSL_new", p, p)(context)
    s = connect()
    function(lib, "wolfSSL_set_fd", ctypes.c_int, p, ctypes.c_int)(ssl, s.fileno())
    check(function(lib, "wolfSSL_connect", ctypes.c_int, p)(ssl) == 1, "handshake")
    function(lib, "wolfSSL_write", ctypes.c_int, p, c, ctypes.c_int)(ssl, request, len(request))
    receive = function(lib, "wolfSSL_read", ctypes.c_int, p, p, ctypes.c_int)
    into = ctypes.create_string_buffer(4096)
    while receive(ssl, into, len(into)) > 0:
        pass
    function(lib, "wolfSSL_free", None, p)(ssl)


def mbedtls():
    crypto, lib = load("mbedcrypto"), load("mbedtls")
    # Larger than any of its structs, which each `init` clears.
    ssl, config, entropy, random, net = (ctypes.create_string_buffer(65536) for _ in range(5))
    function(lib, "mbedtls_ssl_init", None, p)(ssl)
    function(lib, "mbedtls_ssl_config_init", None, p)(config)
    function(crypto, "mbedtls_entropy_init", None, p)(entropy)
    function(crypto, "mbedtls_ctr_drbg_init", None, p)(random)
    seed = function(crypto, "mbedtls_ctr_drbg_seed", ctypes.c_int, p, p, p, c, ctypes.c_size_t)
    check(seed(random, crypto.mbedtls_entropy_func, entropy, None, 0) == 0, "seed")
    defaults = function(lib, "mbedtls_ssl_config_defaults", ctypes.c_int, p, ctypes.c_int, ctypes.c_int, ctypes.c_int)
    check(defaults(config, 0, 0, 0) == 0, "configuration")
    function(lib, "mbedtls_ssl_conf_authmode", None, p, ctypes.c_int)(config, 0)
    function(lib, "mbedtls_ssl_conf_rng", None, p, p, p)(config, crypto.mbedtls_ctr_drbg_random, random)
    check(function(lib, "mbedtls_ssl_setup", ctypes.c_int, p, p)(ssl, config) == 0, "set-up")
    s = connect()
    net[0:4] = s.fileno().to_bytes(4, "little")
    bio = function(lib, "mbedtls_ssl_set_bio", None, p, p, p, p, p)
    bio(ssl, net, lib.mbedtls_net_send, lib.mbedtls_net_recv, None)
    check(function(lib, "mbedtls_ssl_handshake", ctypes.c_int, p)(ssl) == 0, "handshake")
    function(lib, "mbedtls_ssl_write", ctypes.c_int, p, c, ctypes.c_size_t)(ssl, request, len(request))
    receive = function(lib, "mbedtls_ssl_read", ctypes.c_int, p, p, ctypes.c_size_t)
    into = ctypes.create_string_buffer(4096)
    while receive(ssl, into, len(into)) > 0:
        pass
    function(lib, "mbedtls_ssl_free", None, p)(ssl)


if name == "gnutls":
    gnutls([request], False)
elif name == "gnutls-corked":
    gnutls([request[:10], request[10:]], True)
else:
    {"wolfssl": wolfssl, "mbedtls": mbedtls}[name]()
