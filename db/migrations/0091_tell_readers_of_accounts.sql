-- Who sees an account's address, and a person's contact, now that nobody gains that sight by an appointment or a membership of their own making.
UPDATE personal_data_category SET
    readers_id = 'Pemilik akun; administrator nasional; yang mengundang, selama belum ditugaskan orang lain; pengelola wilayah tempat akun itu ditugaskan orang lain.',
    readers_en = 'The user; national administrators; whoever invited, until somebody else assigns the account; those in whose reach somebody else assigned it.'
WHERE code = 'account';
UPDATE personal_data_category SET
    readers_id = 'Yang memegang contacts:read dan wilayah tugasnya mencakup orang itu, atau tim tempat orang itu dimasukkan oleh yang berwenang atas wilayahnya; setiap pembacaan dicatat.',
    readers_en = 'Holders of contacts:read in whose reach the person is, or the team in which those who may see the person put them; every read is recorded.'
WHERE code = 'contact';
