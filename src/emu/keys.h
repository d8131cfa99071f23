/* keys.h - key pairs for CreateKeyPair: RSA 2048 as PKCS#1 PEM, Ed25519 as OpenSSH PEM. */
#ifndef EMU_KEYS_H
#define EMU_KEYS_H

#include "cloud/cloud.h"

/* A cloud_key_fn. */
NODISCARD int keys_make(void *user, enum cloud_key_kind kind, struct buf *pem,
                        struct buf *public_line, struct buf *fingerprint, struct err *err);

#endif
