-- Browsers in which an account was opened: what guesses are made elsewhere says nothing about these. The cookie's name for the
-- device stands here as a salted digest. Another password forgets them all.
CREATE TABLE login_device (
    user_id  uuid NOT NULL,
    device   bytea NOT NULL,
    used_on  date NOT NULL DEFAULT today(),
    CONSTRAINT login_device_pkey PRIMARY KEY (user_id, device),
    CONSTRAINT login_device_user_id_fkey FOREIGN KEY (user_id) REFERENCES app_user (id) ON DELETE CASCADE,
    CONSTRAINT login_device_device_check CHECK (octet_length(device) = 32),
    CONSTRAINT login_device_used_on_check CHECK (isfinite(used_on))
);
CREATE INDEX login_device_used_on_idx ON login_device (used_on);

-- Failures are counted by the networks around an address, too (a /24 of IPv4; /56 and /48 of IPv6), and 'known' is now an account
-- at a device, no longer at an address.
DELETE FROM login_throttle WHERE kind = 'known';
ALTER TABLE login_throttle
    DROP CONSTRAINT login_throttle_kind_check,
    ADD CONSTRAINT login_throttle_kind_check CHECK (kind IN ('account', 'address', 'net', 'wide', 'known'));
DROP FUNCTION IF EXISTS login_buckets(text, text);
DROP FUNCTION IF EXISTS login_take(text[], bytea[]);
DROP FUNCTION IF EXISTS login_address(text);
