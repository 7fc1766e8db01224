-- An older refresh token was refused while the one in force had not been used: whoever uses that one then is the second who has the login.
ALTER TABLE oauth_refresh ADD COLUMN contested boolean NOT NULL DEFAULT false;
