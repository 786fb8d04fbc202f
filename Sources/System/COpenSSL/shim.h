#ifndef COPENSSL_SHIM_H
#define COPENSSL_SHIM_H

/* As in cposix.h: one program must not see the headers of libc in two forms. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

/* These are function-like macros around SSL_CTX_ctrl. */
static inline int copenssl_set_minimum_version(SSL_CTX *_Nonnull context, int version)
{
    return SSL_CTX_set_min_proto_version(context, version);
}
static inline int copenssl_set_groups(SSL_CTX *_Nonnull context, const char *_Nonnull list)
{
    return SSL_CTX_set1_groups_list(context, list);
}
static inline void copenssl_set_mode(SSL_CTX *_Nonnull context, long mode)
{
    SSL_CTX_set_mode(context, mode);
}
static inline void copenssl_set_session_cache(SSL_CTX *_Nonnull context, long mode)
{
    SSL_CTX_set_session_cache_mode(context, mode);
}
static inline void copenssl_read_ahead(SSL_CTX *_Nonnull context)
{
    SSL_CTX_set_read_ahead(context, 1);
}

static inline int copenssl_set_server_name(SSL *_Nonnull connection, const char *_Nonnull name)
{
    return (int)SSL_set_tlsext_host_name(connection, name);
}

/* Swift does not import macros with casts. */
static inline uint64_t copenssl_options(void)
{
    return SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
           SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA;
}

/* A key that is locked with a pass phrase must not make a server ask for it on a terminal. */
static inline int copenssl_no_pass_phrase(char *buffer, int size, int writing, void *data)
{
    (void)buffer, (void)size, (void)writing, (void)data;
    return 0;
}
static inline void copenssl_ask_no_pass_phrase(SSL_CTX *_Nonnull context)
{
    SSL_CTX_set_default_passwd_cb(context, copenssl_no_pass_phrase);
}

/* What OpenSSL's inline functions and macros say of an error code. */
static inline int copenssl_system_error(unsigned long code)
{
    return ERR_SYSTEM_ERROR(code) ? ERR_GET_REASON(code) : 0;
}
static inline int copenssl_is_end_of_file(unsigned long code)
{
    return ERR_GET_LIB(code) == ERR_LIB_SSL &&
           ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
}
static inline int copenssl_is_undecodable(unsigned long code)
{
    return ERR_GET_LIB(code) == ERR_LIB_OSSL_DECODER && ERR_GET_REASON(code) == ERR_R_UNSUPPORTED;
}

#endif
