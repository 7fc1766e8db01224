-- Whoever logs in to an app is told who answers for it.
UPDATE personal_data_category SET
    readers_id = 'Administrator nasional; namanya juga ditampilkan kepada orang yang masuk melalui aplikasi itu.',
    readers_en = 'National administrators; the name also to people who log in through the app.'
WHERE code = 'client_owner';
