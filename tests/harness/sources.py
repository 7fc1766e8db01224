"""How the reference facts name the documents they come from (db/reference/facts/README.md)."""

S0 = "S0 (article of 2018 on social-inclusion transformation of libraries in Sulawesi)"
S1 = "S1 (business magazine's report on PerpuSeru in Kotawaringin Barat)"
S2 = "S2 (news report of 1 September 2023 on TPBIS and PLM)"
S3 = "S3 (paper of the Bangka Belitung provincial library on Tim Sinergi)"
S4 = "S4 (summary of Perpusnas' TPBIS results)"
