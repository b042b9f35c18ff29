-- Databricks notebook source
-- MAGIC %md
-- MAGIC # Orders of your region
-- MAGIC Mount the share as a catalog named `exchange`, then run the cell below.

-- COMMAND ----------

SELECT sold_on, count(*) AS orders, sum(amount) AS amount
FROM exchange.partners.orders
GROUP BY sold_on
ORDER BY sold_on DESC
